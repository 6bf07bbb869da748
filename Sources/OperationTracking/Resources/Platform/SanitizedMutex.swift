#if THREAD_SANITIZER
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Stands in for `Synchronization.Mutex` when the tests run under ThreadSanitizer (`make sanitize`).
///
/// The toolchain's own `Mutex` is compiled without the sanitizer's instrumentation, so every access under it is reported as
/// a race. A pthread mutex is one that the sanitizer knows.
package struct SanitizedMutex<Value: ~Copyable>: ~Copyable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    package init(_ initial: consuming sending Value) {
        lock = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        value = .allocate(capacity: 1)
        value.initialize(to: initial)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
        value.deinitialize(count: 1)
        value.deallocate()
    }

    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value.pointee)
    }
}

/// Found before the one that `Synchronization` exports.
typealias Mutex = SanitizedMutex

// The value is reached through `withLock` only, by one thread at a time.
extension SanitizedMutex: @unchecked Sendable where Value: ~Copyable {}
#endif
