#if THREAD_SANITIZER
import OperationTracking

typealias Mutex = SanitizedMutex
#endif
