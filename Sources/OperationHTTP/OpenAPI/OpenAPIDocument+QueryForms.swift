/// Requests whose members may come as query parameters, with an empty body of any type, as the original's clients send them.
extension OpenAPIDocument {
    /// The parameters of an operation, and its body, which either may bring what is needed.
    static func eitherWay(_ schema: String, _ parameters: [(name: String, value: String)]) -> String {
        "      parameters:\n"
            + parameters.map { name, value in
                """
                        - name: \(name)
                          in: query
                          description: In the place of the body's member, which counts where both are given.
                          \(value)

                """
            }.joined() + body(schema)
    }

    /// What is said of such an operation.
    static let eitherWayNote =
        "The members come in the body, or as query parameters with an empty body of any type; what is needed has to come one way or the other."

    static let startForm = eitherWay(
        "StartRequest",
        [
            ("operation_type", schema("{type: string, pattern: '^[a-z][a-z0-9_]{0,63}$'}")),
            ("description", schema(shortString)), ("total_size_mb", schema(amount("8589934592"))),
            ("pid", schema("{type: integer, minimum: 1, maximum: 2147483647}")),
            ("operation_id", schema("{type: string, pattern: '^op_[A-Za-z0-9_-]{1,60}$'}")),
        ]
    )

    static let updateForm = eitherWay(
        "UpdateRequest",
        [
            ("progress", schema(amount("100"))), ("downloaded_mb", schema(amount("8589934592"))),
            ("status", schema("{$ref: '#/components/schemas/Status'}")), ("error", schema(shortString)),
            ("resource_impact", json("{$ref: '#/components/schemas/ImpactRequest'}")),
        ]
    )

    static let completeForm = eitherWay("CompleteRequest", [("error", schema(shortString))])

    static let runForm = eitherWay(
        "RunRequest",
        [
            ("operation_type", schema("{type: string, pattern: '^[a-z][a-z0-9_]{0,63}$'}")),
            ("request", json("{type: object}")), ("priority", schema("{$ref: '#/components/schemas/Priority'}")),
        ]
    )

    static let priorityForm = eitherWay(
        "PriorityRequest",
        [("priority", schema("{$ref: '#/components/schemas/Priority'}"))]
    )

    static let limitForm = eitherWay(
        "LimitRequest",
        [("bytes_per_second", schema("{type: integer, minimum: 1, maximum: 1125899906842624}"))]
    )

    static let pullForm = eitherWay(
        "PullRequest",
        [("model", schema("{type: string, minLength: 1, maxLength: 512, pattern: '^[^\\u0000]*$'}"))]
    )

    static let seedForm = eitherWay(
        "SeedRequest",
        [
            (
                "categories",
                json("{type: object, additionalProperties: {type: array, items: {type: string}}}")
            ), ("per_term", schema("{type: integer, minimum: 1, maximum: 5}")),
        ]
    )

    private static let shortString = "{type: string, maxLength: 1000, pattern: '^[^\\u0000]*$'}"

    private static func amount(_ limit: String) -> String { "{type: number, minimum: 0, maximum: \(limit)}" }

    private static func schema(_ schema: String) -> String { "schema: \(schema)" }

    /// A value that stands in the query as JSON.
    private static func json(_ schema: String) -> String { "content: {application/json: {schema: \(schema)}}" }
}
