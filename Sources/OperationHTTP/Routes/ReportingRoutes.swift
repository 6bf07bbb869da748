import OperationTracking

/// Work that clients do themselves and report by hand.
extension APIContext {
    var reportingRoutes: [APIRoute] {
        [
            .now("POST", Self.root + "/start", start),
            .later("POST", Self.root + "/{id}/update", now: updateNow, update),
            .later("POST", Self.root + "/{id}/complete", complete),
        ]
    }

    private static let unitsPerMegabyte = 1_048_576.0
    /// 2^53 bytes, the largest amount that a tracker counts.
    static let mostMegabytes = 8_589_934_592.0
    static let longestText = 1000

    private func start(_ call: APICall) throws -> APIResponse {
        let parameters = call.parameters
        let type = try operationType(in: parameters)
        let description = try parameters.text("description", limit: Self.longestText) ?? ""
        // The original's clients send 0 where they don't know.
        let total = try parameters.number("total_size_mb", in: 0...Self.mostMegabytes).flatMap { $0 > 0 ? $0 : nil }
        let pid = try parameters.integer("pid", in: 1...Int64(Int32.max))
        let id = try parameters.text("operation_id", limit: 63).map { (text) throws(APIProblem) in
            guard let id = OperationID(rawValue: text) else {
                throw .invalid(
                    "operation_id is not op_ and 1 to 60 letters, digits, _ or -: leave it out for a new one."
                )
            }
            return id
        }
        guard tracker.summary.totalActive < limits.maximumActiveOperations else {
            throw APIProblem(
                429,
                "too_many_operations",
                "\(limits.maximumActiveOperations) operations are active, and no more may be: end some that are over.",
                headers: [APIHeader("Retry-After", "5")]
            )
        }
        let handle = try tracker.start(
            type: type,
            description: description,
            total: total.map { Int64($0 * Self.unitsPerMegabyte) },
            id: id,
            pid: pid.map { Int32($0) },
            startedBy: call.actor
        )
        return .json { json in
            json.key("operation_id")
            json.value(handle.id.rawValue)
        }
    }

    func operationType(in parameters: APIParameters) throws(APIProblem) -> OperationType {
        let text = try parameters.requiredText("operation_type", limit: 64)
        guard let type = OperationType(rawValue: text) else {
            throw .invalid("operation_type is not a letter a to z, then letters, digits or _, 64 in all at most.")
        }
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
        let handle = try await handle(for: call)
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
        let handle = try await handle(for: call)
        if let error, !error.isEmpty {
            try await fail(handle, error)
        } else {
            try await tracker.complete(handle.id)
        }
        return .json { json in
            json.key("completed")
            json.value(true)
        }
    }

    /// An error after a request to stop is how the work stopped.
    private func fail(_ handle: OperationHandle, _ error: String) async throws {
        if handle.isAskedToStop {
            try await tracker.report(handle.id, .cancelled)
        } else {
            try await tracker.fail(handle.id, OperationFailure(.providerError, error))
        }
    }

    private static let updated = APIResponse.json { json in
        json.key("updated")
        json.value(true)
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

/// What a client reports of its work.
private struct Report {
    let percent: Double?
    let megabytes: Double?
    let status: OperationStatus?
    let error: String?
    let impact: ResourceImpact?

    init(_ parameters: APIParameters) throws(APIProblem) {
        percent = try parameters.number("progress", in: 0...100)
        megabytes = try parameters.number("downloaded_mb", in: 0...APIContext.mostMegabytes)
        status = try parameters.choice("status")
        error = try parameters.text("error", limit: APIContext.longestText)
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
        if let error, status != .failed { handle.setMessage(error) }
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
