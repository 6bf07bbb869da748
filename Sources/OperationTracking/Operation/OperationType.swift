/// What kind of work an operation is, such as a model pull or a download.
///
/// A type is 1 to 64 characters: a lower-case letter, then lower-case letters, digits or `_`. Types are few and known
/// (one a provider), so they can label metrics and roll-ups.
public struct OperationType: RawRepresentable, Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The wire name.
    public let rawValue: String

    /// Takes a type's wire name; `nil` when it doesn't have the form of a type.
    public init?(rawValue: String) {
        let text = rawValue.utf8
        guard let first = text.first, text.count <= 64, Self.isLetter(first),
            text.allSatisfy({ Self.isLetter($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") })
        else { return nil }
        self.rawValue = rawValue
    }

    /// Makes a type from a literal of the program.
    ///
    /// - Precondition: the literal has the form of a type; a wrong one is an error of the program, found at its first use.
    public init(_ literal: StaticString) {
        guard let type = OperationType(rawValue: "\(literal)") else {
            preconditionFailure("'\(literal)' is not an operation type: use a-z, 0-9 and _, beginning with a letter")
        }
        self = type
    }

    /// Pulling a model from a registry, as Ollama does.
    public static let pullModel = OperationType("pull_model")
    /// Transferring one file over HTTP.
    public static let download = OperationType("download")
    /// Installing software.
    public static let install = OperationType("install")
    /// Filling a folder or a database with initial content.
    public static let seed = OperationType("seed")
    /// Setting up a gateway to language models.
    public static let okSetup = OperationType("ok_setup")

    /// The wire name.
    public var description: String { rawValue }

    /// Sorts by the wire name.
    public static func < (left: OperationType, right: OperationType) -> Bool {
        left.rawValue < right.rawValue
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
