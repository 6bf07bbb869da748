/// Something that a test waited for and that did not come about.
public struct NotComeAbout: Error, CustomStringConvertible {
    /// What it was, how long it was waited for, and where.
    public let description: String
}

/// Asks again and again until there is an answer.
///
/// The pauses grow: to ask may cost much, such as a walk through all processes, and many tests that do so without rest keep a
/// small machine from ever doing what they wait for.
/// - Parameter what: what is waited for, for the message.
/// - Throws: ``NotComeAbout`` after ``Patience/deadline``; what asking throws.
public func eventually<Value>(
    _ what: String = "it",
    file: StaticString = #fileID,
    line: Int = #line,
    _ ask: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + Patience.deadline
    var pause = Duration.milliseconds(10)
    while true {
        if let value = try await ask() { return value }
        guard ContinuousClock.now < deadline else {
            throw NotComeAbout(
                description:
                    "\(file):\(line): \(what) did not come about within \(Patience.deadline.components.seconds) s"
            )
        }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(400))
    }
}

/// Asks again and again until it is so.
/// - Parameter what: what is waited for, for the message.
/// - Throws: ``NotComeAbout`` after ``Patience/deadline``; what asking throws.
public func eventually(
    _ what: String = "it",
    file: StaticString = #fileID,
    line: Int = #line,
    _ isSo: () async throws -> Bool
) async throws {
    let _: Bool = try await eventually(what, file: file, line: line) { try await isSo() ? true : nil }
}
