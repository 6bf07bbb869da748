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
    let path: String

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
        guard let bytes = try SmallFile.read(path) else { return nil }
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
        let services = values.enumerated().compactMap { index, value in
            ServiceDefinition(value, number: index + 1, problems: &problems)
        }
        let names = Dictionary(grouping: services, by: \.name).filter { $0.value.count > 1 }.keys.sorted()
        problems += names.map { "\($0): two services have this name." }
        guard problems.isEmpty else { throw invalid(problems) }
        return (document, services)
    }

    func write(_ document: OrderedJSON) throws(ServiceError) {
        try SmallFile.write(document.bytes, to: path)
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
    func locked<Result>(_ body: () throws(ServiceError) -> Result) throws(ServiceError) -> Result {
        // The lock has a file of its own, since a change puts another file in the place of this one.
        let descriptor = open(SmallFile.target(of: path) + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw ServiceError(
                .system,
                "\(path).lock could not be made: \(String(cString: strerror(errno))). Check the folder's permissions."
            )
        }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {}
        return try body()
    }

    private func invalid(_ problems: [String]) -> ServiceError {
        let rest = problems.count > 20 ? " And \(problems.count - 20) more." : ""
        return ServiceError(.invalidRegistry, "\(path): " + problems.prefix(20).joined(separator: " ") + rest)
    }
}
