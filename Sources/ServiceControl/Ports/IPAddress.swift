#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// An IPv4 or IPv6 address.
public struct IPAddress: Sendable, Hashable {
    /// The address in network order: the first 4 bytes of an IPv4 address, all 16 of an IPv6 one.
    private let bytes: SIMD16<UInt8>
    /// Whether it is an IPv6 address, one that maps an IPv4 address included.
    public let isIPv6: Bool

    /// Reads an address as people write it, without a scope.
    ///
    /// - Parameter text: such as `127.0.0.1` or `::1`.
    /// - Returns: `nil` when it is no address.
    public init?(_ text: String) {
        let isIPv6 = text.utf8.contains(UInt8(ascii: ":"))
        var bytes = SIMD16<UInt8>()
        guard inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, &bytes) == 1 else { return nil }
        self.bytes = bytes
        self.isIPv6 = isIPv6
    }

    /// Takes the bytes of an address in network order.
    ///
    /// - Parameter bytes: at least 4 or 16 of them; those after that are left out.
    init?(_ bytes: UnsafeRawBufferPointer, isIPv6: Bool) {
        let count = isIPv6 ? 16 : 4
        guard bytes.count >= count else { return nil }
        var own = SIMD16<UInt8>()
        for index in 0..<count { own[index] = bytes[index] }
        self.bytes = own
        self.isIPv6 = isIPv6
    }

    /// Whether a socket bound to it takes connections to every address of the machine: `0.0.0.0` or `::`.
    public var isWildcard: Bool { bytes == SIMD16() }

    /// Whether it stays within the machine: `127.0.0.0/8`, `::1`, or the former mapped into IPv6.
    public var isLoopback: Bool {
        if let mapped = mappedIPv4 { return mapped.isLoopback }
        return isIPv6 ? self == Self.loopbackIPv6 : bytes[0] == 127
    }

    /// The IPv4 address that `::ffff:a.b.c.d` stands for (RFC 4291, section 2.5.5.2); `nil` for any other.
    public var mappedIPv4: IPAddress? {
        guard isIPv6, (0..<10).allSatisfy({ bytes[$0] == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF else { return nil }
        return IPAddress(firstFourFrom: 12, of: bytes)
    }

    private init(firstFourFrom start: Int, of other: SIMD16<UInt8>) {
        var bytes = SIMD16<UInt8>()
        for index in 0..<4 { bytes[index] = other[start + index] }
        self.bytes = bytes
        isIPv6 = false
    }

    /// Lends the 16 bytes, of which an IPv4 address has the first four.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(of: bytes, body)
    }

    private static let loopbackIPv6 = IPAddress("::1")
}

extension IPAddress: CustomStringConvertible {
    /// As people write it.
    public var description: String {
        withBytes { bytes in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
                let family = isIPv6 ? AF_INET6 : AF_INET
                guard
                    let start = inet_ntop(family, bytes.baseAddress, text.baseAddress, socklen_t(INET6_ADDRSTRLEN))
                else { return "?" }
                return String(cString: start)
            }
        }
    }
}
