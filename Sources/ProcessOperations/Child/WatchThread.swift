#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import OperationTracking

/// Waits for descriptors on a thread of its own.
///
/// Not with Dispatch's sources: on Linux (Swift 6.3) the thread that delivers the hang-up of a descriptor still uses the
/// source's record when another may already have freed it, and dozens of short commands at once crash on that.
package enum WatchThread {
    /// What to wait for.
    package struct Interest {
        /// Those that are to become readable; negative ones are left out.
        package var descriptors: [Int32]
        /// For how long at most, in milliseconds; -1 for ever.
        package var milliseconds: Int32

        package init(descriptors: [Int32], milliseconds: Int32) {
            self.descriptors = descriptors
            self.milliseconds = milliseconds
        }
    }

    /// Asks `next` what to wait for, waits, and so on until it says `nil`.
    ///
    /// - Returns: `false` where the system has no thread to give.
    package static func run(_ next: @escaping @Sendable () -> Interest?) -> Bool {
        BlockingThread.run {
            while let interest = next() {
                var descriptors = interest.descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                poll(&descriptors, nfds_t(descriptors.count), interest.milliseconds)
            }
        }
    }
}
