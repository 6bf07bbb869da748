/// Says which expectation of a protocol an implementation does not meet.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// What the protocol promises, in a sentence.
    public let expectation: String
    /// What was found instead.
    public let found: String

    /// Makes a failure.
    public init(_ expectation: String, found: String) {
        self.expectation = expectation
        self.found = found
    }

    /// The expectation and what was found.
    public var description: String { "Not met: \(expectation) Found: \(found)" }
}

func expect<Value: Equatable>(_ expectation: String, _ found: Value, is wanted: Value) throws(ConformanceFailure) {
    guard found == wanted else { throw ConformanceFailure(expectation, found: "\(found), not \(wanted).") }
}
