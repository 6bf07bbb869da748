public import OperationTracking

/// A process, as far as the system shows it to this user.
public struct ProcessDetails: Sendable, Hashable {
    /// Which process it is.
    public var identity: ProcessIdentity
    /// Its parent's pid.
    public var parent: Int32
    /// Its name, as `ps` and `top` have it, but not cut to 15 characters where its command line has the whole.
    public var name: String
    /// Its command line; empty where the system shows none.
    public var command: [String]
    /// The file it runs; `nil` where the system doesn't show it.
    public var executable: String?
    /// The folder it works in; `nil` where the system doesn't show it.
    public var workingDirectory: String?
    /// The user on whose behalf it acts (the effective user id).
    public var userID: UInt32
    /// The user that started it (the real user id).
    public var realUserID: UInt32
    /// What watches over it and may start it again; `nil` when nothing is known to.
    public var supervisor: ProcessSupervisor?

    /// Makes a description.
    public init(
        identity: ProcessIdentity,
        parent: Int32,
        name: String,
        command: [String] = [],
        executable: String? = nil,
        workingDirectory: String? = nil,
        userID: UInt32,
        realUserID: UInt32,
        supervisor: ProcessSupervisor? = nil
    ) {
        self.identity = identity
        self.parent = parent
        self.name = name
        self.command = command
        self.executable = executable
        self.workingDirectory = workingDirectory
        self.userID = userID
        self.realUserID = realUserID
        self.supervisor = supervisor
    }

    /// The process that has this pid now; `nil` when there is none.
    public init?(pid: Int32) {
        self.init(running: pid)
    }
}

extension ProcessDetails {
    /// The name of a command, from what the system keeps of it and what it was started as.
    static func name(kept: String, command: [String], executable: String?) -> String {
        // Linux keeps 15 bytes. Runtimes that name their threads put the main thread's name there.
        let candidates = [command.first, executable].compactMap { $0?.lastPathComponent }
        if isCut(kept), let whole = candidates.first(where: { $0.hasPrefix(kept) }) { return whole }
        if isOfThread(kept), let file = candidates.last { return file }
        return kept
    }

    /// Whether a name that the system keeps can be that of a command with this name.
    static func mayBe(named name: String, kept: String) -> Bool {
        kept == name || isCut(kept) && name.hasPrefix(kept) || isOfThread(kept)
    }

    private static func isCut(_ kept: String) -> Bool { kept.utf8.count >= 15 }
    private static func isOfThread(_ kept: String) -> Bool { kept.hasSuffix("MainThread") }
}

extension String {
    /// What stands behind the last slash.
    var lastPathComponent: String {
        String(self[(lastIndex(of: "/").map(index(after:)) ?? startIndex)...])
    }
}
