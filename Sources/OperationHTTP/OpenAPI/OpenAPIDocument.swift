/// The API's description (OpenAPI 3.1), put together of this module's part and that of another.
///
/// It is kept as text, since it is read as text; tests hold it against the routes and against real answers.
package enum OpenAPIDocument {
    package static func text(_ more: APIExtension? = nil) -> String {
        let paths = [operationPaths, controlPaths, machinePaths, selfHealPaths, serverPaths, more?.paths ?? ""]
        let schemas = [operationSchemas, otherSchemas, more?.schemas ?? ""]
        return head + "paths:\n" + paths.joined() + components + "  schemas:\n" + schemas.joined()
    }

    private static let head = """
        openapi: 3.1.0
        info:
          title: OperationTracking
          version: \(OperationAPI.version)
          description: |
            Long-running work, made visible and kept under control.

            MB are 2^20 bytes, GB 2^30; Mbps are 10^6 bit/s; `cpu_percent` counts 100 for one core unless said otherwise.
            Moments are ISO 8601 in UTC. What is not known is null. Members and parameters that are not described are left
            alone.

            A process of the same user on the server's machine needs no token, if the server trusts it; everybody else sends the
            token, or the cookie that a page has traded it for. `HEAD` is answered wherever `GET` is, `OPTIONS` everywhere.
        servers:
          - url: /
        security:
          - token: []
          - session: []

        """

    private static let components = """
        components:
          securitySchemes:
            token: {type: http, scheme: bearer}
            session: {type: apiKey, in: cookie, name: operation_session}
          parameters:
            ID:
              name: id
              in: path
              required: true
              description: The operation's id.
              schema: {type: string, pattern: '^op_[A-Za-z0-9_-]{1,60}$'}
            Type:
              name: type
              in: query
              description: Of these types only; it may come several times.
              schema: {type: array, maxItems: 16, items: {type: string, pattern: '^[a-z][a-z0-9_]{0,63}$'}}
            LastEventID:
              name: Last-Event-ID
              in: header
              description: The id of the last event that the client has. What follows it is sent, or a snapshot.
              schema: {type: string}
          responses:
        \(problem("Malformed", "The request can't be read."))\
        \(problem("Unauthorized", "Who asks is not known.", header: "WWW-Authenticate"))\
        \(problem("Forbidden", "The host, the origin or the kind of work is not allowed."))\
        \(problem("NotFound", "There is no such thing."))\
        \(problem("Conflict", "Its state, or who runs it, doesn't allow it."))\
        \(problem("TooLarge", "The body is too long."))\
        \(problem("UnsupportedType", "The body is not JSON."))\
        \(problem("Invalid", "A value is missing or wrong."))\
        \(problem("TooMany", "There are too many of it now.", header: "Retry-After"))\
        \(problem("TargetTooLong", "Path and query have more than 8192 bytes. A server may refuse much longer ones by itself, in HTML or not at all, and close the connection."))\
        \(problem("HeadTooLong", "The request has more than 100 header fields, or more bytes in its head than the server takes. It may refuse much longer ones by itself, in HTML or not at all, and close the connection."))\
        \(problem("Unavailable", "The server can't do it now.", header: "Retry-After"))\
            NotModified:
              description: The client has it already.
            Events:
              description: |
                Server-Sent Events. Each has an id, a name (`started`, `updated`, `finished`, `snapshot`, `history_health`,
                `overload`, `threshold`) and JSON as its data: an `Operation`, for `finished` with `durable` beside it, or
                `{operations, overload, history_health, gap}` for a snapshot of what is active, and of what the events `overload` and
                `history_health` told last; `gap` says that endings may have been missed. Overload is measured while something is
                active. The state of an operation that another process runs, or that was over before, has an id of another form,
                and no `durable`.
              content:
                text/event-stream:
                  schema: {description: One event after another.}
            Progress:
              description: |
                Server-Sent Events whose data is `{progress, status, message}`; the last has the status `complete`, or `failed`
                and an `error`. The operation goes on if the client leaves.
              content:
                text/event-stream:
                  schema: {description: One event after another.}

        """

    private static func problem(_ name: String, _ description: String, header: String? = nil) -> String {
        let headers = header.map { "      headers:\n        \($0): {schema: {type: string}}\n" } ?? ""
        return """
                \(name):
                  description: \(description)

            """ + headers + """
                      content:
                        application/problem+json:
                          schema: {$ref: '#/components/schemas/Problem'}

                """
    }

    /// References to refusals, for a path's `responses`, at their depth.
    package static func refusals(_ statuses: Int...) -> String {
        // An address and a head can be too long whatever is asked for.
        (statuses + (statuses.contains(400) ? [414, 431] : [])).map { status in
            let name = refusalNames[status] ?? "Invalid"
            return "        '\(status)': {$ref: '#/components/responses/\(name)'}\n"
        }.joined()
    }

    private static let refusalNames = [
        304: "NotModified", 400: "Malformed", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict",
        413: "TooLarge", 414: "TargetTooLong", 415: "UnsupportedType", 422: "Invalid", 429: "TooMany",
        431: "HeadTooLong", 503: "Unavailable",
    ]

    /// A success with JSON, for a path's `responses`.
    package static func json(_ schema: String, _ description: String, status: Int = 200) -> String {
        """
                '\(status)':
                  description: \(description)
                  content:
                    application/json:
                      schema: {$ref: '#/components/schemas/\(schema)'}

        """
    }

    /// A JSON body, for a path.
    package static func body(_ schema: String, isRequired: Bool = false) -> String {
        """
              requestBody:
                required: \(isRequired)
                content:
                  application/json:
                    schema: {$ref: '#/components/schemas/\(schema)'}

        """
    }
}
