import OperationTracking
import OperationTransfer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct DownloadCommand: Command {
    static let name = "download"
    static let summary = "download a file, going on where an earlier run stopped"
    static let operands = "URL"
    static let options: [Option] = [
        Option("output", short: "o", "FILE", help: "where to (default: the URL's last part, in this folder)"),
        Option("limit", "RATE", help: "at most RATE bytes a second, such as 500k, 2M or 1.5G (1k is 1024)"),
        Option("sha256", "DIGEST", help: "the SHA-256 that the file must have"),
        Option("retries", "N", help: "try again up to N times what may pass, 0 to 100 (default 3)"),
        Option("force", help: "replace a file that is there, once the new one is complete"),
        Option("detach", help: "leave it to the running server, which downloads to `downloads` in the data folder"),
        .data, .json,
    ]

    private let request: DownloadProvider.Request
    private let retries: Int?
    private let data: String
    private let json: Bool
    private let handOver: HandOver
    /// The same for a server, which takes a name in its own folder; `nil` where that is not what was asked for.
    private let serverRequest: DownloadProvider.Request?

    init(_ options: ParsedOptions) throws {
        let url = try options.operand("URL")
        guard let target = options.text("output") ?? DownloadProvider.fileName(inURL: url) else {
            throw UsageError("the URL doesn't end in a file's name: say what it is to be called with --output.")
        }
        request = DownloadProvider.Request(
            url: url,
            target: try Self.absolute(target),
            sha256: options.text("sha256"),
            limit: try options.text("limit").map(Self.rate),
            overwrite: options.has("force")
        )
        retries = try options.number("retries", in: 0...100)
        data = try DataDirectory.path(options)
        json = options.has("json")
        handOver = HandOver(options, data: data)
        let isInDownloads = request.target?.deletingLastPart == data.absolutePath + "/downloads"
        if isInDownloads || options.has("detach") && !options.has("output") {
            var request = request
            request.target = request.target?.lastPart
            serverRequest = request
        } else {
            serverRequest = nil
        }
    }

    func run() async throws -> ExitCode {
        let (retries, isForServer) = (retries, serverRequest != nil)
        let code = try await handOver.run(serverRequest ?? request, with: DownloadProvider.self) { _ in
            if retries != nil { return "--retries is not the server's to choose" }
            return isForServer ? nil : "the server downloads to `downloads` in the data folder only"
        }
        if let code { return code }
        let session = try await Session(data: data, actor: "wizard download")
        let provider = DownloadProvider(
            transport: CurlTransport(),
            directory: FileManager.default.currentDirectoryPath,
            allowsAnyTarget: true
        )
        let retry = RetryPolicy(maximumAttempts: (retries ?? 3) + 1)
        let ownCode = try await session.run(request, with: provider, retry: retry, json: json)
        await session.tracker.close()
        return ownCode
    }

    /// Another run, from another folder, that asks for the same name doesn't ask for the same file.
    private static func absolute(_ path: String) throws -> String {
        guard !path.isEmpty else { throw UsageError("--output takes a file.") }
        return path.absolutePath
    }

    /// Bytes a second: a number, and `k`, `M` or `G` for units of 1024.
    static func rate(_ text: String) throws -> Int64 {
        let units: [Character: Double] = ["k": 0x1p10, "K": 0x1p10, "m": 0x1p20, "M": 0x1p20, "g": 0x1p30, "G": 0x1p30]
        let unit = text.last.flatMap { units[$0] }
        let number = unit == nil ? text : String(text.dropLast())
        let isPlain = number.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
        guard isPlain, let value = Double(number), case let rate = (value * (unit ?? 1)).rounded(),
            (1...0x1p50).contains(rate)
        else {
            throw UsageError("--limit takes bytes a second, at least 1, such as 500k, 2M or 1.5G, not '\(text)'.")
        }
        return Int64(rate)
    }
}
