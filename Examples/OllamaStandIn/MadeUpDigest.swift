/// Digests for layers and manifests that have no contents.
enum MadeUpDigest {
    /// 64 hexadecimal digits, always the same ones for the same seed.
    static func hex(seed: String) -> String {
        (UInt64(0)..<4).map { lane in
            let digits = String(mixed(fnv1a(seed) &+ lane), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// FNV-1a, 64 bits.
    private static func fnv1a(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The output step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): spreads neighbouring inputs over all bits.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var bits = value &* 0x9e37_79b9_7f4a_7c15
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
