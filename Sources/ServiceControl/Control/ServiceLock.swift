#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import OperationTracking

/// Held while something is done to a service, so that no other program does anything to it meanwhile.
///
/// It is a file locked with flock(2): the system lets go of it when the process ends, and those that it starts don't get it.
struct ServiceLock {
    let descriptor: Int32

    /// Takes the lock.
    ///
    /// - Returns: `nil` where there can be none, as on a full disk: then no other program is kept out, and what is wrong is put right
    ///   all the same.
    /// - Throws: ``ServiceError`` (`busy`) where another program has it.
    init?(_ path: String, of service: String) throws(ServiceError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return nil }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
        let isHeld = errno == EWOULDBLOCK
        close(descriptor)
        guard isHeld else { return nil }
        throw ServiceError(
            .busy,
            "Another program is doing something to \(service): wait until that is done, or cancel it there."
        )
    }

    func release() {
        closeUnlocking(descriptor)
    }
}
