/// A leader's processes: those whose session, or whose process group, has its number.
///
/// The system gives a number to no new process while it names a process, a group or a session. So a number goes on meaning
/// the same processes for as long as any of them is left; that it means them to begin with is for the caller to know.
package struct ProcessSession: Sendable, Hashable {
    /// The leader's process id, which stays the session's when the leader has ended.
    package let id: Int32

    /// Names a session by its leader.
    package init(id: Int32) {
        self.id = id
    }
}
