/// How a command's progress is read from its output. Colours and other terminal sequences are ignored, and a carriage
/// return ends a line as a line feed does.
public enum ProgressRule: String, Sendable, Hashable, Codable, CaseIterable {
    /// Not at all.
    case none
    /// From percentages, such as `12 %` or `12.5%`.
    case percent
    /// From whole numbers, such as `[12/345]`.
    case fraction
    /// From amounts, such as `12.3 MB / 1.2 GB` or `12.3/45.6 MiB`.
    case bytes
    /// From whichever of these the output has: once there were percentages, amounts and fractions count no more, and once
    /// there were amounts, fractions don't.
    case automatic
}
