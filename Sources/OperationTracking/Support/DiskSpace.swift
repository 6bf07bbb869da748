#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How much room there is.
package enum DiskSpace {
    /// The bytes that this user may still write where an open file is; `nil` where the file system doesn't say.
    package static func freeBytes(at descriptor: Int32) -> Int64? {
        var found = statvfs()
        return fstatvfs(descriptor, &found) == 0 ? free(found) : nil
    }

    /// The bytes that this user may still write where a folder is, or would be: the nearest folder above it that exists counts.
    package static func freeBytes(at folder: String) -> Int64? {
        var path = folder.isEmpty ? "." : folder
        while true {
            var found = statvfs()
            if statvfs(path, &found) == 0 { return free(found) }
            guard errno == ENOENT, let slash = path.lastIndex(of: "/"), path != "/" else { return nil }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    private static func free(_ found: statvfs) -> Int64 { product(UInt64(found.f_bavail), UInt64(found.f_frsize)) }

    /// The largest number where the product is larger.
    static func product(_ blocks: UInt64, _ size: UInt64) -> Int64 {
        let (product, isTooLarge) = blocks.multipliedReportingOverflow(by: size)
        return isTooLarge ? .max : Int64(clamping: product)
    }
}
