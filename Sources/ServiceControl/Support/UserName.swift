#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Users by their names.
enum UserName {
    /// The user as one would say it, such as `user www-data` or `user 1234`.
    static func described(_ id: UInt32) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { buffer in
            guard let start = buffer.baseAddress, getpwuid_r(id, &entry, start, buffer.count, &found) == 0,
                found != nil,
                let name = entry.pw_name
            else { return "user \(id)" }
            return "user \(String(cString: name))"
        }
    }
}
