#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Why a file isn't to be believed that decides what this user's programs do, such as a list of commands or a token: others may have
/// had a hand in it. The rule is that of `sshd`'s `StrictModes` (sshd_config(5)).
package enum FileDistrust: Hashable, Sendable {
    /// It is neither a file nor, where that is wanted, a folder.
    case wrongKind
    /// It is another user's, neither this one's nor root's.
    case anothers(userID: UInt32)
    /// Its permissions let others do what they may not.
    case open

    /// Looks at an open file, so that nobody changes it between the look and the use.
    ///
    /// - Parameters:
    ///   - descriptor: the file, or the folder.
    ///   - isFolder: which of them it has to be.
    ///   - forbidden: what others may not do, as the bits of its mode.
    /// - Returns: `nil` for one that is to be believed.
    package init?(of descriptor: Int32, isFolder: Bool = false, forbidding forbidden: UInt32 = Self.writing) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == (isFolder ? S_IFDIR : S_IFREG) else {
            self = .wrongKind
            return
        }
        if status.st_uid != geteuid(), status.st_uid != 0 {
            self = .anothers(userID: status.st_uid)
        } else if UInt32(status.st_mode) & forbidden != 0 {
            self = .open
        } else {
            return nil
        }
    }

    /// Writing, by the group or by all.
    package static let writing: UInt32 = 0o022
    /// Anything, by the group or by all.
    package static let anything: UInt32 = 0o077
}
