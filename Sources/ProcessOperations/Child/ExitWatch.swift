#if os(Linux)
import CProcess
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A descriptor that becomes readable when a child has ended. SIGCHLD is left to the program.
package enum ExitWatch {
    #if os(Linux)
    /// A pidfd (pidfd_open(2)).
    ///
    /// - Returns: -1 where there is none: before Linux 5.3, and in some sandboxes.
    package static func descriptor(_ pid: Int32) -> Int32 {
        cprocess_pidfd_open(pid)
    }
    #else
    // Written with care and not run: the project is built and tested on Linux only.
    /// A kqueue that waits for the child (kqueue(2), `EVFILT_PROC`).
    ///
    /// - Returns: -1 where there is none, or the child has ended already.
    package static func descriptor(_ pid: Int32) -> Int32 {
        let queue = kqueue()
        guard queue >= 0 else { return -1 }
        var wanted = Darwin.kevent(
            ident: UInt(pid),
            filter: Int16(EVFILT_PROC),
            flags: UInt16(EV_ADD),
            fflags: NOTE_EXIT,
            data: 0,
            udata: nil
        )
        guard Darwin.kevent(queue, &wanted, 1, nil, 0, nil) == 0 else {
            close(queue)
            return -1
        }
        return queue
    }
    #endif
}
