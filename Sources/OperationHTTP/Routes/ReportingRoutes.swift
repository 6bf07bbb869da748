import OperationTracking

/// Work that clients do themselves and report by hand.
extension APIContext {
    var reportingRoutes: [APIRoute] {
        [
            .later("POST", Self.root + "/start", now: start, startNamed),
            .later("POST", Self.root + "/{id}/update", now: updateNow, update),
            .later("POST", Self.root + "/{id}/complete", complete),
        ]
    }

    static let unitsPerMegabyte = 1_048_576.0
    /// 2^53 bytes, the largest amount that a tracker counts.
    static let mostMegabytes = 8_589_934_592.0
    static let longestText = 1000

    /// A name of the client's own takes a look into the history.
    private func start(_ call: APICall) throws -> APIResponse? {
        let wanted = try StartRequest(call.parameters, operationType(in: call.parameters))
        try requireRoomForOne()
        guard wanted.id == nil else { return nil }
        let handle = try tracker.start(
            type: wanted.type,
            description: wanted.description,
            total: wanted.total,
            pid: wanted.pid,
            startedBy: call.actor
        )
        return Self.started(handle)
    }

    private func startNamed(_ call: APICall) async throws -> APIResponse {
        let wanted = try StartRequest(call.parameters, operationType(in: call.parameters))
        guard let id = wanted.id else { throw APIProblem.invalid("operation_id is missing: send a name.") }
        let handle = try await tracker.start(
            named: id,
            type: wanted.type,
            description: wanted.description,
            total: wanted.total,
            pid: wanted.pid,
            startedBy: call.actor
        )
        return Self.started(handle)
    }

    private func requireRoomForOne() throws(APIProblem) {
        guard !hub.isStopping else { throw .stopping }
        guard tracker.summary.totalActive < limits.maximumActiveOperations else {
            throw APIProblem(
                429,
                "too_many_operations",
                "\(limits.maximumActiveOperations) operations are active, and no more may be: end some that are over.",
                headers: [APIHeader("Retry-After", "5")]
            )
        }
    }

    private static func started(_ handle: OperationHandle) -> APIResponse {
        .json { json in
            json.key("operation_id")
            json.value(handle.id.rawValue)
        }
    }

    func operationType(in parameters: APIParameters) throws(APIProblem) -> OperationType {
        let given = try parameters.parsed("operation_type", limit: 64) { (text) throws(APIProblem) in
            guard let type = OperationType(rawValue: text) else {
                throw .invalid("operation_type is not a letter a to z, then letters, digits or _, 64 in all at most.")
            }
            return type
        }
        guard let type = given else { throw .invalid("operation_type is missing: send a string.") }
        return type
    }

    /// Most updates tell amounts alone.
    private func updateNow(_ call: APICall) throws -> APIResponse? {
        guard !call.parameters.has("status") else { return nil }
        let report = try Report(call.parameters)
        guard let handle = try tracker.handle(id(in: call)) else { return nil }
        try report.apply(to: handle)
        return Self.updated
    }

    private func update(_ call: APICall) async throws -> APIResponse {
        let report = try Report(call.parameters)
        if let status = report.status, report.isEndingAlone, try await hasEnded(as: status, call) {
            return Self.updated
        }
        let handle = try await handle(for: call)
        if let status = report.status { try handle.checkStep(to: status) }
        try report.apply(to: handle)
        switch report.status {
        case nil: break
        case .completed: try await tracker.complete(handle.id)
        case .failed: try await fail(handle, report.error ?? "The client reported that it failed, and not why.")
        case .some(let status): try await tracker.report(handle.id, status)
        }
        return Self.updated
    }

    private func complete(_ call: APICall) async throws -> APIResponse {
        let error = try call.parameters.text("error", limit: Self.longestText)
        let hasFailed = error?.isEmpty == false
        if try await hasEnded(as: hasFailed ? .failed : .completed, call) { return Self.completed(.durable) }
        let handle = try await handle(for: call)
        guard let error, hasFailed else { return Self.completed(try await tracker.complete(handle.id)) }
        return Self.completed(try await fail(handle, error))
    }

    /// Whether an operation has the status already that a client reports, whose first report's answer may have been lost. A failure of
    /// work that was cancelled is how it stopped.
    private func hasEnded(as status: OperationStatus, _ call: APICall) async throws -> Bool {
        let id = try id(in: call)
        guard status.isTerminal, tracker.handle(id) == nil else { return false }
        let ended = try await record(ofUnknown: id).operation.status
        return ended == status || (status == .failed && ended == .cancelled)
    }

    /// An error after a request to stop is how the work stopped.
    @discardableResult
    private func fail(_ handle: OperationHandle, _ error: String) async throws -> HistoryDurability {
        guard handle.isAskedToStop else {
            return try await tracker.fail(handle.id, OperationFailure(.providerError, error))
        }
        return try await tracker.stopped(handle.id)
    }

    private static let updated = APIResponse.json { json in
        json.key("updated")
        json.value(true)
    }

    private static func completed(_ durability: HistoryDurability) -> APIResponse {
        .json { json in
            json.key("completed")
            json.value(true)
            json.key("durable")
            json.value(durability == .durable)
        }
    }

    /// An active operation that clients report on.
    private func handle(for call: APICall) async throws -> OperationHandle {
        let id = try id(in: call)
        if let handle = tracker.handle(id) {
            try Report.checkIsReportedFromOutside(handle)
            return handle
        }
        let status = try await record(ofUnknown: id).operation.status
        throw status.isTerminal ? APIProblem.hasEnded(as: status) : APIProblem.runElsewhere
    }
}

/// What a client says of work that it begins.
private struct StartRequest {
    let type: OperationType
    let description: String
    let total: Int64?
    let pid: Int32?
    let id: OperationID?

    init(_ parameters: APIParameters, _ type: OperationType) throws(APIProblem) {
        self.type = type
        description = try parameters.text("description", limit: APIContext.longestText) ?? ""
        // The original's clients send 0 where they don't know.
        total = try parameters.number("total_size_mb", in: 0...APIContext.mostMegabytes)
            .map { Int64($0 * APIContext.unitsPerMegabyte) }
            .flatMap { $0 > 0 ? $0 : nil }
        pid = try parameters.integer("pid", in: 1...Int64(Int32.max)).map { Int32($0) }
        id = try parameters.parsed("operation_id", limit: 63) { (text) throws(APIProblem) in
            guard let id = OperationID(rawValue: text) else {
                throw .invalid(
                    "operation_id is not op_ and 1 to 60 letters, digits, _ or -: leave it out for a new one."
                )
            }
            return id
        }
    }
}

/// What a client reports of its work.
private struct Report {
    let percent: Double?
    let megabytes: Double?
    let status: OperationStatus?
    let error: String?
    let impact: ResourceImpact?

    /// Whether there is nothing but an ending, with its error.
    var isEndingAlone: Bool { status?.isTerminal == true && percent == nil && megabytes == nil && impact == nil }

    init(_ parameters: APIParameters) throws(APIProblem) {
        percent = try parameters.number("progress", in: 0...100)
        megabytes = try parameters.number("downloaded_mb", in: 0...APIContext.mostMegabytes)
        let error = try parameters.text("error", limit: APIContext.longestText)
        self.error = error?.isEmpty == false ? error : nil
        let status: OperationStatus? = try parameters.choice("status")
        // As when it is completed with an error: an ending that has one is a failure, whatever else it is called.
        self.status = status == .completed && self.error != nil ? .failed : status
        impact = try parameters.object("resource_impact").map { (value) throws(APIProblem) in
            let parameters = try APIParameters(body: value, query: [])
            return ResourceImpact(
                cpuPercent: try parameters.number("cpu_percent", in: 0...1e6),
                memoryBytes: try parameters.number("memory_mb", in: 0...APIContext.mostMegabytes)
                    .map { Int64($0 * 1_048_576) },
                networkBitsPerSecond: try parameters.number("network_mbps", in: 0...1e6).map { $0 * 1e6 }
            )
        }
    }

    func apply(to handle: OperationHandle) throws(APIProblem) {
        try Self.checkIsReportedFromOutside(handle)
        if let megabytes {
            guard handle.operation.progress.unit == .bytes else {
                throw .invalid("The operation doesn't count bytes: send progress instead of downloaded_mb.")
            }
            handle.update(completed: Int64(megabytes * 1_048_576))
        }
        if let percent { handle.report(percent: percent) }
        if let impact { handle.report(impact) }
        if let error, status != .failed { handle.report(error: error) }
    }

    static func checkIsReportedFromOutside(_ handle: OperationHandle) throws(APIProblem) {
        guard handle.isReportedFromOutside else {
            throw APIProblem(
                409,
                "reports_itself",
                "The operation's own work reports on it: pause, resume or cancel it instead."
            )
        }
    }
}
