extension OpenAPIDocument {
    static let controlPaths = [
        wish("pause", "Ask an operation to pause; one that waits is held back"),
        wish("resume", "Ask a paused operation to go on, or take back a pause"),
        wish("cancel", "Ask an operation to stop for good"),
        wish("priority", "Change how urgently an operation is wanted while it waits", body: priorityForm),
        wish("limit", "Limit what an operation transfers; null for no limit of its own", body: limitForm),
        runPaths,
    ].joined()

    private static let runPaths = """
          /api/ports/operations/run:
            post:
              summary: Have this server do something, if it has a provider for it that HTTP may start
              operationId: runOperation
              tags: [control]
              description: |
                `request` is what the provider takes; `GET /api/ports/providers` has an example. \(eitherWayNote)
        \(runForm)\
              responses:
        \(json("Submitted", "It runs, or waits for its turn.", status: 202))\
        \(refusals(400, 401, 403, 404, 409, 413, 415, 422, 429, 503))\
          /api/ports/providers:
            get:
              summary: What this server can do
              operationId: listProviders
              tags: [control]
              description: What it could do if something were there that isn't, such as a key, is under `missing`, and why it can't.
              responses:
        \(json("ProviderList", "The providers, and those that are missing."))\(refusals(304, 400, 401, 403))
        """

    private static func wish(_ name: String, _ summary: String, body: String? = nil) -> String {
        """
          /api/ports/operations/{id}/\(name):
            parameters:
              - {$ref: '#/components/parameters/ID'}
            post:
              summary: \(summary)
              operationId: \(name)Operation
              tags: [control]
        \(body ?? "")\
              responses:
        \(json("Wish", "How it stands now; work needs time to follow."))\
        \(refusals(400, 401, 403, 404, 409, 413, 415, 422, 503))
        """
    }

    static let machinePaths = """
          /api/ports/events:
            get:
              summary: Who did what, newest first
              operationId: listEvents
              tags: [history]
              parameters:
                - name: operation_id
                  in: query
                  description: What was done to this operation alone.
                  schema: {type: string, pattern: '^op_[A-Za-z0-9_-]{1,60}$'}
                - name: cursor
                  in: query
                  description: The `next_cursor` of the page before.
                  schema: {type: string, pattern: '^a[0-7][0-9a-f]{15}$'}
                - name: limit
                  in: query
                  schema: {type: integer, minimum: 1, maximum: 1000, default: 50}
              responses:
        \(json("EventPage", "One page."))\(refusals(304, 400, 401, 403, 404, 422, 503))\
          /api/ports/resources:
            get:
              summary: The machine now
              operationId: getResources
              tags: [machine]
              responses:
        \(json("Resources", "The machine."))\(refusals(400, 401, 403))\
          /api/ports/resources/history:
            get:
              summary: The machine over the last minutes, oldest first
              operationId: getResourceHistory
              tags: [machine]
              parameters:
                - name: minutes
                  in: query
                  description: How far back; 15 minutes are kept.
                  schema: {type: number, minimum: 0, maximum: 1440, default: 30}
                - name: limit
                  in: query
                  description: How many points at most, chosen evenly.
                  schema: {type: integer, minimum: 2, maximum: 1000, default: 1000}
              responses:
        \(json("ResourceHistory", "The points."))\(refusals(304, 400, 401, 403, 422))
        """

    static let selfHealPaths = [
        selfHeal("ollama/pull", "pullModel", "Pull a model into Ollama", pullForm),
        selfHeal("nounproject/seed", "seedIcons", "Fill a folder with icons of the Noun Project", seedForm),
        selfHeal("ok-setup", "setUpGateway", "Set up the gateway to language models", body("EmptyRequest")),
    ].joined()

    private static func selfHeal(
        _ path: String,
        _ id: String,
        _ summary: String,
        _ form: String
    ) -> String {
        """
          /api/self-heal/\(path):
            post:
              summary: \(summary), and show how that goes
              operationId: \(id)
              tags: [self-heal]
        \(form)\
              responses:
                '200': {$ref: '#/components/responses/Progress'}
        \(refusals(400, 401, 403, 404, 409, 413, 415, 422, 429, 503))
        """
    }

    static let serverPaths = """
          /api/session:
            post:
              summary: Trade the token for a cookie that a page's event streams can send
              operationId: startSession
              tags: [server]
              security:
                - token: []
              responses:
        \(json("Session", "The cookie is set, where one is needed."))\(refusals(400, 401, 403, 413, 415, 422))\
            delete:
              summary: Give the cookie back
              operationId: endSession
              tags: [server]
              security: []
              responses:
                '204':
                  description: It is void.
        \(refusals(400, 403, 413, 415, 422))\
          /health:
            get:
              summary: Whether the server is well; it may be asked by anybody, under any name
              operationId: getHealth
              tags: [server]
              security: []
              responses:
        \(json("Health", "It runs. `degraded` says that something is amiss, and `reason` what."))\
        \(json("Health", "It is stopping, and takes no new work.", status: 503))\(refusals(400))\
          /metrics:
            get:
              summary: Figures for Prometheus
              operationId: getMetrics
              tags: [server]
              responses:
                '200':
                  description: The text form of Prometheus.
                  content:
                    text/plain:
                      schema: {type: string}
        \(refusals(400, 401, 403))\
          /openapi.yaml:
            get:
              summary: This description
              operationId: getDescription
              tags: [server]
              security: []
              responses:
                '200':
                  description: OpenAPI 3.1.
                  content:
                    application/yaml:
                      schema: {type: string}
        \(refusals(304, 400, 403))
        """
}
