extension OpenAPIDocument {
    static let operationPaths = """
          /api/ports/operations:
            get:
              summary: The operations that have not ended, oldest first
              description: |
                The `ETag` is weak: it stays the same while nothing has happened but that time has passed, so `uptime_seconds` and the
                time remaining may be older than they are now.
              operationId: listOperations
              tags: [operations]
              responses:
        \(json("OperationList", "The operations."))\(refusals(304, 400, 401, 403))\
          /api/ports/operations/summary:
            get:
              summary: The operations that have not ended, what they cost together, and the machine
              operationId: summarizeOperations
              tags: [operations]
              responses:
        \(json("Summary", "The summary."))\(refusals(400, 401, 403))\
          /api/ports/operations/start:
            post:
              summary: Begin an operation that the client reports on
              description: \(eitherWayNote)
              operationId: startOperation
              tags: [reporting]
        \(startForm)\
              responses:
        \(json("Started", "It is in progress."))\(refusals(400, 401, 403, 409, 413, 415, 422, 429, 503))\
          /api/ports/operations/{id}:
            parameters:
              - {$ref: '#/components/parameters/ID'}
            get:
              summary: One operation with its request and its result, also when it has ended
              operationId: getOperation
              tags: [operations]
              responses:
        \(json("OperationDetails", "The operation."))\(refusals(400, 401, 403, 404, 503))\
          /api/ports/operations/{id}/update:
            parameters:
              - {$ref: '#/components/parameters/ID'}
            post:
              summary: Report progress, costs or a step of an operation that the client reports on
              description: |
                An `error` with the status `completed` makes it `failed`. \(eitherWayNote)
              operationId: updateOperation
              tags: [reporting]
        \(updateForm)\
              responses:
        \(json("Updated", "It is taken."))\(refusals(400, 401, 403, 404, 409, 413, 415, 422, 503))\
          /api/ports/operations/{id}/complete:
            parameters:
              - {$ref: '#/components/parameters/ID'}
            post:
              summary: End an operation that the client reports on; as failed when there is an error
              description: |
                The answer comes once the ending is durable; `durable` is false where it could not be made so. That it has ended
                so already is no error. \(eitherWayNote)
              operationId: completeOperation
              tags: [reporting]
        \(completeForm)\
              responses:
        \(json("Completed", "It has ended."))\(refusals(400, 401, 403, 404, 409, 413, 415, 422, 503))\
          /api/ports/operations/check-overload:
            get:
              summary: Whether the machine is overloaded, and why
              operationId: checkOverload
              tags: [machine]
              responses:
        \(json("Overload", "The verdict."))\(refusals(400, 401, 403))\
            post:
              summary: Whether the machine is overloaded, and why
              operationId: checkOverloadByPost
              tags: [machine]
              responses:
        \(json("Overload", "The verdict."))\(refusals(400, 401, 403, 413, 415, 422))\
          /api/ports/operations/stream:
            get:
              summary: What happens, as it happens
              operationId: streamOperations
              tags: [streams]
              parameters:
                - {$ref: '#/components/parameters/LastEventID'}
              responses:
                '200': {$ref: '#/components/responses/Events'}
        \(refusals(400, 401, 403, 429, 503))\
          /api/ports/operations/{id}/stream:
            parameters:
              - {$ref: '#/components/parameters/ID'}
            get:
              summary: What happens to one operation, until it ends
              operationId: streamOperation
              tags: [streams]
              parameters:
                - {$ref: '#/components/parameters/LastEventID'}
              responses:
                '200': {$ref: '#/components/responses/Events'}
                '204':
                  description: It has ended, and the client knows.
        \(refusals(400, 401, 403, 404, 409, 429, 503))\
          /api/ports/operations/history:
            get:
              summary: What ran, newest first
              operationId: listHistory
              tags: [history]
              parameters:
                - {$ref: '#/components/parameters/Type'}
                - name: status
                  in: query
                  description: With these statuses only; it may come several times.
                  schema: {type: array, maxItems: 16, items: {$ref: '#/components/schemas/Status'}}
                - name: text
                  in: query
                  description: With this text in the description; a-z in either case.
                  schema: {type: string, maxLength: 1000, pattern: '^[^\\u0000]*$'}
                - name: since
                  in: query
                  description: Created at this moment or later; a day will do.
                  schema: {type: string, format: date-time}
                - name: before
                  in: query
                  description: Created before this moment; a day will do.
                  schema: {type: string, format: date-time}
                - name: parent
                  in: query
                  description: Parts of this operation.
                  schema: {type: string, pattern: '^op_[A-Za-z0-9_-]{1,60}$'}
                - name: cursor
                  in: query
                  description: The `next_cursor` of the page before.
                  schema: {type: string, pattern: '^o[0-7][0-9a-f]{15}$'}
                - name: limit
                  in: query
                  schema: {type: integer, minimum: 1, maximum: 1000, default: 100}
              responses:
        \(json("HistoryPage", "One page."))\(refusals(304, 400, 401, 403, 404, 422, 503))\
          /api/ports/operations/history/statistics:
            get:
              summary: Figures by type over everything that ever ended
              operationId: historyStatistics
              tags: [history]
              parameters:
                - {$ref: '#/components/parameters/Type'}
              responses:
        \(json("StatisticsList", "The figures."))\(refusals(304, 400, 401, 403, 404, 422, 503))
        """
}
