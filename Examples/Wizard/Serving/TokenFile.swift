import OperationTracking

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A file with the token that opens the server to whoever has it.
enum TokenFile {
    /// The token in a file: its text without spaces and newlines at the ends. Where there is no file, one is made with a random
    /// token that only this user can read.
    ///
    /// - Throws: ``UsageError`` when others could read the file, or there is no token in it that could keep anybody out.
    static func token(in path: String) throws -> String {
        // Without waiting for somebody to write, should it be a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw failure("read", path) }
            return try make(path)
        }
        defer { close(descriptor) }
        switch FileDistrust(of: descriptor, forbidding: FileDistrust.anything) {
        case nil: return try checked(read(descriptor, path), path)
        case .wrongKind: throw UsageError("the token file \(path) is no file: name one, or one that is to be made.")
        case .anothers: throw UsageError("the token file \(path) is another user's: take one of this user's own.")
        case .open:
            throw UsageError(
                "others can read the token file \(path): chmod 600 it, and change the token if they may have."
            )
        }
    }

    private static func read(_ descriptor: Int32, _ path: String) throws -> String {
        do throws(SystemCallError) {
            let text = String(decoding: try FileBytes.read(descriptor, limit: 4096), as: UTF8.self)
            return String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        } catch {
            throw failure("read", path, error)
        }
    }

    private static func checked(_ token: String, _ path: String) throws -> String {
        guard (16...1024).contains(token.utf8.count), token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw UsageError(
                "the token file \(path) holds no token: 16 to 1024 letters, digits and signs without spaces. Without the file, one is made."
            )
        }
        return token
    }

    private static func make(_ path: String) throws -> String {
        var generator = SystemRandomNumberGenerator()
        let token = (0..<32).map { _ in Self.hexadecimal(UInt8.random(in: .min ... .max, using: &generator)) }.joined()
        do throws(SystemCallError) {
            try AtomicWrite.inFolder(of: path) { (folder, name) throws(SystemCallError) in
                try AtomicWrite.create(name, in: folder, with: Array((token + "\n").utf8), mode: 0o600)
            }
        } catch {
            throw failure("make", path, error)
        }
        Console.error("wizard serve: made the token file \(path).")
        return token
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }

    private static func failure(
        _ what: String,
        _ path: String,
        _ error: SystemCallError = SystemCallError()
    ) -> UsageError {
        UsageError(
            "can't \(what) the token file \(path): \(error.reason). Check its folder, its permissions and the room on the disk, or name another."
        )
    }
}
