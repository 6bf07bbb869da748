import OperationTracking

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The services' file: an object with a list `services`, and whatever else people have put there.
struct RegistryFile: Sendable {
    /// The most bytes that it may have.
    static let limit = 1 << 20

    let path: String
    /// How long others may hold the lock until a change is given up.
    var patience: Duration = .seconds(30)

    /// How the file looked when it was read, to see that it has changed.
    struct Stamp: Hashable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    /// `nil` when there is no file.
    var stamp: Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Darwin)
        let time = status.st_mtimespec
        #else
        let time = status.st_mtim
        #endif
        return Stamp(
            inode: UInt64(status.st_ino),
            size: Int64(status.st_size),
            seconds: time.tv_sec,
            nanoseconds: time.tv_nsec
        )
    }

    /// What a file with these services and nothing else holds.
    static func document(of services: [ServiceDefinition]) -> OrderedJSON {
        var document = OrderedJSON.emptyObject
        document["services"] = .array(services.map(\.json))
        return document
    }

    /// Reads the file.
    ///
    /// - Returns: the text and its services; `nil` when there is no file.
    /// - Throws: ``ServiceError``: `invalid_registry` with everything that is wrong, `system` when it can't be read.
    func read() throws(ServiceError) -> (document: OrderedJSON, services: [ServiceDefinition])? {
        if let size = stamp?.size, size > Self.limit { throw invalid([Self.tooLarge]) }
        guard let bytes = try SmallFile.read(path, limit: Self.limit) else { return nil }
        return try parse(bytes)
    }

    private static let tooLarge = "It is larger than \(limit >> 10) KiB."

    private func parse(_ bytes: [UInt8]) throws(ServiceError) -> (document: OrderedJSON, services: [ServiceDefinition])
    {
        let document: OrderedJSON
        do {
            document = try OrderedJSON.read(bytes, OrderedJSON.Rules(deepest: 64, keysMayRepeat: false))
        } catch {
            throw invalid(["Line \(error.line(in: bytes)): \(error.what)."])
        }
        guard let values = document["services"]?.elements else {
            throw invalid(["The file holds an object with a list \"services\"."])
        }
        var problems: [String] = []
        if values.count > ServiceRegistry.limit {
            problems.append("The list has \(values.count) services: there may be \(ServiceRegistry.limit).")
        }
        let services = values.enumerated().compactMap { index, value in
            ServiceDefinition(value, number: index + 1, problems: &problems)
        }
        let names = Dictionary(grouping: services, by: \.name).filter { $0.value.count > 1 }.keys.sorted()
        problems += names.map { "\($0): two services have this name." }
        guard problems.isEmpty else { throw invalid(problems) }
        return (document, services)
    }

    /// Writes the file, if it can be read again.
    ///
    /// - Throws: ``ServiceError``: `invalid_service` where it couldn't, `system`.
    func write(_ document: OrderedJSON) throws(ServiceError) {
        let bytes = document.bytes
        do throws(ServiceError) {
            guard bytes.count <= Self.limit else { throw invalid([Self.tooLarge]) }
            _ = try parse(bytes)
        } catch {
            throw ServiceError(.invalidService, "With that change the file could not be read again. \(error.message)")
        }
        try SmallFile.write(bytes, to: path)
    }

    /// Renames the file, so that nothing that somebody has written is lost.
    ///
    /// - Returns: the new path.
    func setAside(at date: Date) throws(ServiceError) -> String {
        let stem = path.hasSuffix(".json") ? String(path.dropLast(5)) : path
        // 2026-02-10T12:00:00Z without what some file systems don't like.
        let time = date.formatted(.iso8601).filter { !":-".contains($0) }
        for number in 0..<100 {
            let name = "\(stem).invalid-\(time)\(number == 0 ? "" : "-\(number)").json"
            // A link fails where there is such a file already; a rename would replace it.
            if link(path, name) == 0 {
                unlink(path)
                return name
            }
            guard errno == EEXIST else { break }
        }
        throw ServiceError(
            .system,
            "\(path) could not be renamed: \(String(cString: strerror(errno))). Mend it, or move it away yourself."
        )
    }

    /// Holds off other programs that change the file, while `body` does.
    ///
    /// - Throws: ``ServiceError`` (`system`) also where another program has held the lock for half a minute.
    func locked<Result>(_ body: () throws(ServiceError) -> Result) async throws(ServiceError) -> Result {
        let lock = try lock()
        do {
            return try await lock.hold(patience: patience, body)
        } catch {
            throw notLocked(error)
        }
    }

    /// The same for a caller that can't but keep its thread waiting meanwhile.
    func lockedBlocking<Result>(_ body: () throws(ServiceError) -> Result) throws(ServiceError) -> Result {
        let lock = try lock()
        do {
            return try lock.holdBlocking(patience: patience, body)
        } catch {
            throw notLocked(error)
        }
    }

    /// The lock has a file of its own, since a change puts another file in the place of this one.
    private func lock() throws(ServiceError) -> BriefLock {
        let name = SmallFile.target(of: path) + ".lock"
        do {
            return try BriefLock(name, path: name)
        } catch {
            throw ServiceError(
                .system,
                "\(path) can't be made or changed, since \(name) could not be opened: \(error.reason). Check that the folder is there, and its permissions."
            )
        }
    }

    private func notLocked(_ error: any Error) -> ServiceError {
        switch error {
        case let error as ServiceError: error
        case is CancellationError:
            ServiceError(.system, "\(path) was not changed: that was cancelled while another program changed it.")
        default: ServiceError(.system, String(describing: error))
        }
    }

    private func invalid(_ problems: [String]) -> ServiceError {
        let rest = problems.count > 20 ? " And \(problems.count - 20) more." : ""
        return ServiceError(.invalidRegistry, "\(path): " + problems.prefix(20).joined(separator: " ") + rest)
    }
}
