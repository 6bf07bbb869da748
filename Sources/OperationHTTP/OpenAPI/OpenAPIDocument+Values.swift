/// What schemas are written with.
extension OpenAPIDocument {
    /// An object whose keys are all always there, and no others.
    package static func object(_ name: String, _ properties: [(String, String)]) -> String {
        schema(name, properties, required: properties.map(\.0)) + "      additionalProperties: false\n"
    }

    /// An object in a request; members that aren't described are left alone.
    package static func request(
        _ name: String,
        required: [String] = [],
        description: String? = nil,
        _ properties: [(String, String)]
    ) -> String {
        schema(name, properties, required: required, description: description)
    }

    /// A request that needs a member which may come in the query instead: a body without it is none that is wrong.
    static func request(_ name: String, hereOrInQuery needed: [String], _ properties: [(String, String)]) -> String {
        let names = needed.map { "`\($0)`" }.joined(separator: ", ")
        return schema(name, properties, required: [], description: "Needs \(names), unless the query has it.")
    }

    private static func schema(
        _ name: String,
        _ properties: [(String, String)],
        required: [String],
        description: String? = nil
    ) -> String {
        "    \(name):\n      type: object\n" + (description.map { "      description: \($0)\n" } ?? "")
            + (required.isEmpty ? "" : "      required: [\(required.joined(separator: ", "))]\n")
            + (properties.isEmpty ? "" : "      properties:\n")
            + properties.map { "        \($0): \($1)\n" }.joined()
    }

    package static func reference(_ name: String) -> String { "{$ref: '#/components/schemas/\(name)'}" }
    package static func list(_ name: String) -> String { "{type: array, items: \(reference(name))}" }
    package static let text = "{type: string}"
    package static let maybeText = "{type: [string, 'null']}"
    package static let moment = "{type: string, format: date-time}"
    package static let maybeMoment = "{type: [string, 'null'], format: date-time}"
    package static let number = "{type: number}"
    package static let maybeNumber = "{type: [number, 'null']}"
    package static let count = "{type: integer, minimum: 0}"
    package static let maybeCount = "{type: [integer, 'null']}"
    package static let truth = "{type: boolean}"
    package static let maybeTruth = "{type: [boolean, 'null']}"
    package static let id = "{type: string, pattern: '^op_[A-Za-z0-9_-]{1,60}$'}"
    package static let maybeID = "{type: [string, 'null'], pattern: '^op_[A-Za-z0-9_-]{1,60}$'}"
    package static let type = "{type: string, pattern: '^[a-z][a-z0-9_]{0,63}$'}"
    package static let anything = "{}"
    package static let shortText = "{type: [string, 'null'], maxLength: 1000, pattern: '^[^\\u0000]*$'}"

    package static func number(upTo limit: String) -> String {
        "{type: [number, 'null'], minimum: 0, maximum: \(limit)}"
    }
}
