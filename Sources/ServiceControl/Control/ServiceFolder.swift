#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
package import OperationTracking

/// The folder where started services have their logs and records.
package struct ServiceFolder: Sendable {
    let path: String
    let logLimit: Int

    /// - Parameter configuration: that of the controllers that have the folder.
    package init(_ configuration: ServiceController.Configuration) {
        path = configuration.folder
        logLimit = max(4096, configuration.logLimit)
    }

    func log(of name: String) -> ServiceLog { ServiceLog(path: "\(path)/\(name).log", limit: logLimit) }

    /// - Throws: ``ServiceError`` (`busy`).
    func lock(of name: String) throws(ServiceError) -> ServiceLock? {
        guard (try? SmallFile.makeFolder(path)) != nil else { return nil }
        return try ServiceLock("\(path)/\(name).lock", of: name)
    }

    /// `nil` where there is none, or it can't be read: then the process is one like any other.
    ///
    /// - Throws: ``ServiceError`` (`not_permitted`) where others may have written it.
    func record(of name: String) throws(ServiceError) -> StartedRecord? {
        let bytes: [UInt8]?
        do throws(ServiceError) {
            bytes = try SmallFile.read(file(name))
            // Whoever may write to the folder can put another's file in the place of ours, as a link to it.
            if bytes != nil { try SmallFile.checkFolder(path) }
        } catch {
            if error.code == .notPermitted { throw error }
            return nil
        }
        guard let bytes else { return nil }
        return try? JSONDecoder().decode(StartedRecord.self, from: Data(bytes))
    }

    func keep(_ record: StartedRecord, of name: String) throws(ServiceError) {
        try SmallFile.makeFolder(path)
        try locked { () throws(ServiceError) in try write(record, of: name) }
    }

    /// Makes sure that a start can write what it keeps, also as far as there is room on the disk: who the process is, and its log.
    ///
    /// - Throws: ``ServiceError``: `not_permitted`, `system`.
    func checkStart(of name: String) throws(ServiceError) {
        _ = try record(of: name)
        try SmallFile.makeFolder(path)
        try SmallFile.rehearse(file(name))
        try log(of: name).check()
    }

    /// Changes what is kept, where anything is.
    ///
    /// - Parameter process: the one that it has to be of; `nil` for any.
    func change(_ name: String, ifOf process: ProcessIdentity? = nil, _ body: (inout StartedRecord) -> Void)
        throws(ServiceError)
    {
        // Where nothing is kept that is believed, nothing is locked either.
        guard try record(of: name) != nil else { return }
        try locked { () throws(ServiceError) in
            guard let record = try record(of: name), process == nil || record.identity == process else { return }
            var changed = record
            body(&changed)
            if changed != record { try write(changed, of: name) }
        }
    }

    /// Notes that the end of a process is wanted by somebody who is no controller, so that it is no failure. To be called before that
    /// is signalled: those that watch it see the end at once.
    ///
    /// - Parameter process: the one by which a service was started, which leads its session.
    package func expectEnd(of process: ProcessIdentity) {
        for name in names {
            // Where it can't be kept, it counts as a failure.
            try? change(name, ifOf: process) { $0.expectEnd() }
        }
    }

    /// Whether a service was started by this process: then it goes on when the program that started it ends.
    package func has(_ process: ProcessIdentity) -> Bool {
        names.contains { (try? record(of: $0))?.identity == process }
    }

    /// The services of which something is kept.
    private var names: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return files.filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.count)) }
    }

    private static let suffix = ".process.json"

    private func file(_ name: String) -> String { "\(path)/\(name)\(Self.suffix)" }

    private func write(_ record: StartedRecord, of name: String) throws(ServiceError) {
        // Numbers and plain texts are always encoded.
        guard let data = try? JSONEncoder().encode(record) else { return }
        try SmallFile.write(Array(data), to: file(name), mode: 0o600, followsLinks: false)
    }

    /// Keeps others, of this program and of others, from changing records meanwhile: a ``ServiceLock`` is held for much longer, and not
    /// by all of them. Where there can be no lock, as on a full disk, or one stands still that has it, it is done all the same.
    private func locked(_ body: () throws(ServiceError) -> Void) throws(ServiceError) {
        // No service has a name that begins so.
        let lock = path + "/.records.lock"
        var outcome: Result<Void, ServiceError>?
        try? BriefLock(lock, path: lock).holdBlocking(patience: .seconds(30)) { outcome = Result(catching: body) }
        try (outcome ?? Result(catching: body)).get()
    }
}
