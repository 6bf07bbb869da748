/// Figures as a person reads them in a sentence.
enum Figures {
    /// With one decimal below 10, as "7.5 %"; whole above.
    static func percent(_ value: Double) -> String {
        "\(rounded(value)) %"
    }

    /// In the largest of MB, GB and TB (2^20, 2^30, 2^40 bytes) of which there is at least one and a bit.
    static func bytes(_ value: Int64) -> String {
        let megabytes = Double(value) / 1_048_576
        if megabytes < 10_240 { return "\(rounded(megabytes)) MB" }
        let gigabytes = megabytes / 1024
        return gigabytes < 10_240 ? "\(rounded(gigabytes)) GB" : "\(rounded(gigabytes / 1024)) TB"
    }

    /// As "1 core" or "1.5 cores".
    static func cores(_ value: Double) -> String {
        value == 1 ? "1 core" : "\(rounded(value)) cores"
    }

    private static func rounded(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let tenths = (value * 10).rounded()
        guard abs(value) < 10, tenths.truncatingRemainder(dividingBy: 10) != 0 else {
            return "\(Int64(value.rounded()))"
        }
        return "\(tenths / 10)"
    }
}
