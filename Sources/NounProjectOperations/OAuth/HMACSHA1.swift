#if canImport(CryptoKit)
import CryptoKit
#else
import CCrypto
#endif

/// The keyed hash that OAuth 1.0a signs with (RFC 2104 with SHA-1; RFC 5849, section 3.4.2).
enum HMACSHA1 {
    /// The 20 bytes that authenticate `message`.
    static func code(for message: [UInt8], key: [UInt8]) -> [UInt8] {
        #if canImport(CryptoKit)
        // Not run here.
        return Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: SymmetricKey(data: key)))
        #else
        var code = [UInt8](repeating: 0, count: 20)
        var count: UInt32 = 0
        let done = HMAC(EVP_sha1(), key, Int32(key.count), message, message.count, &code, &count)
        // It has no way to fail but a library without SHA-1, and a made-up signature would only be refused far from its cause.
        precondition(done != nil && count == 20, "OpenSSL has no HMAC-SHA1: this build of libcrypto leaves SHA-1 out")
        return code
        #endif
    }
}
