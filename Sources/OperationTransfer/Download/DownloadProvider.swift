#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
public import OperationTracking

/// Downloads a file over HTTP.
///
/// The file grows in `<target>.part` and gets its name when it is complete, checked and safe on the disk; until then nothing has
/// that name. A download that was cut, paused, cancelled or killed goes on where it was when it is asked for again, if the server
/// says that the file is still the same (a strong `ETag`, or `Last-Modified`), and begins again otherwise; `<target>.part.json`
/// keeps what that takes. Phases are `connecting`, `downloading`, `verifying` and `saving`; amounts are bytes.
///
/// The proxy variables of the environment hold (see ``CurlTransport``).
public struct DownloadProvider: OperationProvider {
    /// Which file is wanted, and where.
    public struct Request: Codable, Sendable, Hashable {
        /// Where it comes from: `http` or `https`, without a user name, since requests are kept in the history.
        public var url: String
        /// Its name in the provider's folder, or a path where the provider allows that; `nil` for the name that the URL's path ends in.
        public var target: String?
        /// The SHA-256 that it must have, in 64 hexadecimal digits; `nil` when it isn't known.
        public var sha256: String?
        /// The size that it must have, in bytes; `nil` when it isn't known.
        public var size: Int64?
        /// How many bytes a second at most, at least 1, until another limit is set; `nil` for no limit.
        public var limit: Int64?
        /// Whether a file that has the target's name is replaced, once the new one is complete; `nil` and `false` for no.
        public var overwrite: Bool?

        /// Makes a request.
        public init(
            url: String,
            target: String? = nil,
            sha256: String? = nil,
            size: Int64? = nil,
            limit: Int64? = nil,
            overwrite: Bool? = nil
        ) {
            self.url = url
            self.target = target
            self.sha256 = sha256
            self.size = size
            self.limit = limit
            self.overwrite = overwrite
        }
    }

    /// What a download came to.
    public struct Output: Codable, Sendable, Hashable {
        /// Where the file is.
        public var path: String
        /// Its size in bytes.
        public var bytes: Int64
        /// Its SHA-256, where one was asked for.
        public var sha256: String?
    }

    /// `download`.
    public static let operationType = OperationType.download

    /// From which speed on a download counts as stalled and is given up, by default less than 1,000 bytes a second for 30 s; `nil`
    /// for never. What a bandwidth limit or a full disk holds back doesn't count.
    public var stallLimit: LowSpeedLimit? = LowSpeedLimit(bytesPerSecond: 1000, for: .seconds(30))
    /// How many redirects are followed, within `http` and `https`; by default 10.
    public var maximumRedirects = 10
    /// Whether the provider's folder is on the file system of the tracker's data directory; by default not. Then the disk space
    /// that a download needs is looked for there before it begins: its ``Request/size`` where that is given, without what has
    /// arrived before, or else what earlier downloads came to. How much a server would send is not known before it is asked. It
    /// has no effect where a request may name another folder.
    public var isInDataDirectory = false

    let transport: any HTTPTransport
    let directory: String
    let allowsAnyTarget: Bool

    /// Makes a provider.
    ///
    /// - Parameters:
    ///   - transport: what transfers.
    ///   - directory: the folder that downloads go to, made when it isn't there.
    ///   - allowsAnyTarget: whether a request may name another folder, by a path. Such a provider can't be started over HTTP.
    public init(transport: any HTTPTransport, directory: String, allowsAnyTarget: Bool = false) {
        self.transport = transport
        self.directory = directory
        self.allowsAnyTarget = allowsAnyTarget
    }

    /// A download pauses by ending and beginning again, keeps to its bandwidth limit, and is one operation for equal requests.
    public var traits: ProviderTraits {
        ProviderTraits(
            pausing: .byRestart,
            resumeCost: "It goes on from what has arrived, where the server can.",
            mayBeStartedOverHTTP: !allowsAnyTarget,
            isUnique: true,
            isThrottleable: true,
            writesToDataDirectory: isInDataDirectory && !allowsAnyTarget
        )
    }

    /// The disk space that is still needed for a file whose size is given.
    public func demand(of request: Request) -> ResourceDemand {
        guard traits.writesToDataDirectory, let size = request.size, let target = try? target(of: request) else {
            return .unknown
        }
        var part = stat()
        let isThere = lstat("\(target.folder)/\(target.partName)", &part) == 0
        return ResourceDemand(diskBytes: max(0, size - (isThere ? Int64(part.st_size) : 0)))
    }

    /// A file by its address.
    public var exampleRequest: Request? { Request(url: "https://example.org/big.iso", target: "big.iso") }

    /// The name that a file is given when a request names no target.
    ///
    /// - Returns: the last part of the URL's path, without its percent-encoding; `nil` when it can't be a file's name.
    public static func fileName(inURL url: String) -> String? {
        try? DownloadTarget(nil, url: url, directory: ".", allowsPaths: false).name
    }

    /// Bytes.
    public var unit: OperationUnit { .bytes }

    /// `Download`, the file's name, and the host.
    public func description(of request: Request) -> String {
        let host = (try? Endpoint(url: request.url).host).flatMap { $0.isEmpty ? nil : $0 } ?? "an invalid URL"
        return "Download \((try? target(of: request).name) ?? "a file") from \(host)"
    }

    /// Refuses a URL that can't be downloaded from or has a user name or a password in it, and a target, a digest, a size or a
    /// limit that can't be one.
    public func validate(_ request: Request) throws {
        try request.validate()
        _ = try target(of: request)
    }

    /// The folder, unless the target is a path from the root on.
    public func uniqueScope(of request: Request) -> String {
        request.target?.utf8.first == UInt8(ascii: "/") ? "" : directory
    }

    /// The host that it comes from, and the port.
    public func estimateFeature(of request: Request) -> String {
        (try? Endpoint(url: request.url)).map { $0.description.lowercased() } ?? ""
    }

    func target(of request: Request) throws(OperationFailure) -> DownloadTarget {
        try DownloadTarget(request.target, url: request.url, directory: directory, allowsPaths: allowsAnyTarget)
    }

    /// Downloads the file.
    ///
    /// - Throws: `OperationFailure`: `invalid_request`, `already_exists`, `in_use`, `not_found`, `unauthorized`, `rate_limited`,
    ///   `server_error`, `connection_lost`, `stalled`, `disk_full`, `storage_error`, `integrity_error` and others of the transfer.
    @concurrent
    public func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output {
        try await Download(request, by: self, reporting: handle).run()
    }
}
