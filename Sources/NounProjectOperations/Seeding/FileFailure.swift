import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension OperationFailure.Code {
    /// A folder or a file can't be used.
    static let storageError = Self(rawValue: "storage_error")
}

/// System calls on files that failed.
enum FileFailure {
    /// The failure that `errno` stands for.
    ///
    /// - Parameter task: what could not be done, such as `write /a/b`.
    static func failure(_ task: String) -> OperationFailure {
        let number = errno
        if number == ENOSPC || number == EDQUOT {
            return OperationFailure(
                .diskFull,
                "There is no room left to \(task). Free some, then start it again: what is there already is not fetched again."
            )
        }
        return OperationFailure(
            .storageError,
            "Can't \(task): \(String(cString: strerror(number))). Make it possible for this user, or choose another folder."
        )
    }

    /// Writes all of `bytes`; `errno` says why when it can't.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
