#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
package import OperationTracking

/// The process by which a service was started, kept in a file so that a later program knows it again.
struct StartedRecord: Codable, Hashable {
    var pid: Int32
    var startTime: UInt64
    /// Within what its pid, its start time and its deadline mean anything: see `ProcessIdentity.space`.
    var space: String?
    /// Until when it may come up, in nanoseconds of the monotonic clock, which counts from the boot, too; `nil` once its port and its
    /// health endpoint have answered.
    var deadline: Int64?
    /// Whether its end is no failure: somebody wants it, or it has ended well.
    var isToEnd: Bool?
    /// How it ended, where that was seen and nobody had asked for it.
    var failure: String?
    /// Who had registered the service of which it was started, as in the registry's file; `nil` for one that a person wrote.
    var registeredBy: String?

    private enum CodingKeys: String, CodingKey {
        case pid, space, deadline, failure
        case startTime = "start_time"
        case isToEnd = "to_end"
        case registeredBy = "registered_by"
    }

    var identity: ProcessIdentity { ProcessIdentity(pid: pid, startTime: startTime) }

    /// The process, if it or anything of its session is still there. One that has ended may be listed for a while, until its parent
    /// has looked after it.
    var running: ProcessIdentity? {
        guard isOfHere, identity.isRunning else { return nil }
        return ProcessSession(id: pid).members.isEmpty ? nil : identity
    }

    /// Why the service has failed; `nil` where it hasn't.
    ///
    /// - Parameter isWatched: whether somebody who is still there has seen its end, and says so in a moment.
    func failure(isWatched: Bool) -> String? {
        if let failure { return failure }
        // What ran before the system started anew has failed no more than the system has.
        guard isToEnd != true, isOfHere, !isWatched, running == nil else { return nil }
        return "Its process (pid \(pid)) is gone, and nobody was there to see how it ended."
    }

    /// One that says nothing.
    static let nothing = StartedRecord(pid: 0, startTime: 0, isToEnd: true)

    private var isOfHere: Bool { space != nil && space == ProcessIdentity.space }
}

/// The folder where started services have their logs and records.
struct ServiceFolder: Sendable {
    let path: String
    let logLimit: Int

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
        // Numbers and plain texts are always encoded.
        guard let data = try? JSONEncoder().encode(record) else { return }
        try SmallFile.write(Array(data), to: file(name), mode: 0o600, followsLinks: false)
    }

    /// Makes sure that a start can write what it keeps, also as far as there is room on the disk: who the process is, and its log.
    ///
    /// - Throws: ``ServiceError``: `not_permitted`, `system`.
    func checkStart(of name: String) throws(ServiceError) {
        try keep(try record(of: name) ?? .nothing, of: name)
        try log(of: name).check()
    }

    /// Changes what is kept, where anything is.
    ///
    /// - Parameter process: the one that it has to be of; `nil` for any.
    func change(_ name: String, ifOf process: ProcessIdentity? = nil, _ body: (inout StartedRecord) -> Void)
        throws(ServiceError)
    {
        guard let record = try record(of: name), process == nil || record.identity == process else { return }
        var changed = record
        body(&changed)
        if changed != record { try keep(changed, of: name) }
    }

    /// Notes that somebody wanted the end of a process, also where that came before.
    func noteWantedEnd(of process: ProcessIdentity) {
        for name in names {
            // Where it can't be kept, it counts as a failure.
            try? change(name, ifOf: process) { record in
                record.isToEnd = true
                record.failure = nil
            }
        }
    }

    /// Whether a service was started by this process.
    func has(_ process: ProcessIdentity) -> Bool {
        names.contains { (try? record(of: $0))?.identity == process }
    }

    /// The services of which something is kept.
    private var names: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return files.filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.count)) }
    }

    private static let suffix = ".process.json"

    private func file(_ name: String) -> String { "\(path)/\(name)\(Self.suffix)" }
}

extension ServiceController.Configuration {
    /// Notes that somebody has ended the process of a service by other means than a controller's, so that it is no failure.
    ///
    /// - Parameter process: the one by which the service was started, which leads its session.
    package func noteWantedEnd(of process: ProcessIdentity) {
        ServiceFolder(path: folder, logLimit: logLimit).noteWantedEnd(of: process)
    }

    /// Whether a service was started by this process: then it goes on when the program that started it ends.
    package func hasService(ledBy process: ProcessIdentity) -> Bool {
        ServiceFolder(path: folder, logLimit: logLimit).has(process)
    }
}
