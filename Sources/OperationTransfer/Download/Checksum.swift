#if canImport(CryptoKit)
import CryptoKit

/// A SHA-256 digest of bytes that come one piece after another (FIPS 180-4). Not run here: this is for Apple's systems.
struct Checksum {
    private var hash = SHA256()

    init() {}

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
    }

    /// The digest in lower-case hexadecimal digits.
    func hexadecimal() -> String { SHA256.hexadecimal(hash.finalize()) }
}

extension SHA256 {
    fileprivate static func hexadecimal(_ digest: Digest) -> String { digest.map(\.hexadecimal).joined() }
}
#else
import CCrypto

/// A SHA-256 digest of bytes that come one piece after another (FIPS 180-4), by OpenSSL.
final class Checksum {
    private let context: OpaquePointer?

    init() {
        context = EVP_MD_CTX_new()
        // These fail for want of memory alone, and then the digest is none that anything is compared with.
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    func add(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The digest in lower-case hexadecimal digits. Nothing can be added after that.
    func hexadecimal() -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        EVP_DigestFinal_ex(context, &digest, &count)
        return digest.prefix(Int(count)).map(\.hexadecimal).joined()
    }
}
#endif

extension Checksum {
    /// The digest of a text's UTF-8 bytes.
    static func hexadecimal(of text: String) -> String {
        #if canImport(CryptoKit)
        var checksum = Checksum()
        #else
        let checksum = Checksum()
        #endif
        Array(text.utf8).withUnsafeBytes { checksum.add($0) }
        return checksum.hexadecimal()
    }
}

extension UInt8 {
    fileprivate var hexadecimal: String {
        let digits = String(self, radix: 16)
        return digits.utf8.count == 1 ? "0" + digits : digits
    }
}
