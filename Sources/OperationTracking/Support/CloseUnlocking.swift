#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Lets go of a file's lock (flock(2)), and closes the file.
///
/// Closing alone is not enough: a child that another thread is starting has a copy of the descriptor until it runs its program, and
/// with it would keep the lock.
package func closeUnlocking(_ descriptor: Int32) {
    _ = flock(descriptor, LOCK_UN)
    close(descriptor)
}
