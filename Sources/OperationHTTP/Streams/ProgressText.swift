import OperationTracking

/// How an operation goes, in the words of the original's streams: `{progress, status, message}`, and at the end `complete`, or
/// `failed` with an `error`.
struct ProgressText: Sendable {
    /// The word for work that runs.
    let running: String

    /// Phases that have a word of their own in these streams.
    private static let phases: Set<String> = ["starting", "authenticating", "warning"]

    /// - Parameter result: what came out, as JSON.
    func event(of operation: BackgroundOperation, result: [UInt8]?) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.beginObject()
        json.key("progress")
        // Rounded down: 100 is the sign of the end.
        json.value((operation.progress.percent * 10).rounded(.down) / 10, decimals: 1)
        json.key("status")
        switch operation.status {
        case .completed:
            json.value("complete")
            json.key("message")
            json.value("\(operation.description): done.")
            writeCounts(of: result, to: &json)
        case .failed:
            json.value("failed")
            json.key("error")
            json.value(operation.failure?.message ?? "It failed.")
        case .cancelled:
            json.value("failed")
            json.key("error")
            json.value("It was cancelled.")
        case .pending, .inProgress, .paused:
            json.value(word(for: operation))
            json.key("message")
            json.value(message(of: operation))
        }
        json.endObject()
        return Array("data: ".utf8) + json.bytes + Array("\n\n".utf8)
    }

    private func word(for operation: BackgroundOperation) -> String {
        if operation.status == .pending { return "starting" }
        if let phase = operation.phase, Self.phases.contains(phase) { return phase }
        return operation.phase == nil && operation.progress.completedUnits == 0 ? "starting" : running
    }

    private func message(of operation: BackgroundOperation) -> String {
        if operation.status == .paused { return "Paused." }
        return operation.message ?? operation.phase ?? operation.description
    }

    /// What the original's page shows at the end.
    private func writeCounts(of result: [UInt8]?, to json: inout JSONWriter) {
        guard let result, let value = try? JSONReader.read(result) else { return }
        for (key, name) in [
            ("added", "added_count"), ("skipped", "skipped_count"), ("errors", "error_count"), ("steps", "steps_count"),
            ("warnings", "warnings_count"),
        ] {
            guard let count = Self.count(value[key]) else { continue }
            json.outsideKey(name)
            json.value(count + (Self.count(value[key + "_omitted"]) ?? 0))
        }
        if case .string(let root)? = value["root"] {
            json.key("root")
            json.value(root)
        }
    }

    /// How many there are, whether a result lists them or says their number.
    private static func count(_ value: JSONValue?) -> Int? {
        switch value {
        case .array(let elements): elements.count
        case .integer(let number): Int(exactly: number)
        default: nil
        }
    }
}
