import OperationHTTP
import OperationHistorySQLite
import OperationTracking

/// What the HTTP API says of a data directory: by the server that runs there, else by this program on the same history.
struct Answers {
    let data: String

    /// - Parameter isOfMachine: whether the figures are of the machine now, which takes a moment to measure.
    func get(_ path: String, isOfMachine: Bool = false) async throws -> [UInt8] {
        if let client = await ServerClient.find(in: data) { return try await client.get(path) }
        let history = try await History.open(in: data)
        var configuration = OperationTracker.Configuration()
        configuration.dataDirectory = data
        configuration.sampleInterval = Self.measuringTime
        let tracker = OperationTracker(history: history, configuration: configuration)
        let api = OperationAPI(tracker: tracker)
        var request = APIRequest(method: "GET", target: path, headers: [APIHeader("Host", "localhost")])
        request.caller = APICaller(isSameUser: true, address: "wizard")
        var answer = await api.respond(to: request)
        if isOfMachine {
            // Use of the CPU is a difference between two looks.
            try? await Task.sleep(for: Self.measuringTime * 2)
            answer = await api.respond(to: request)
        }
        await tracker.close()
        guard case .bytes(let bytes) = answer.body else { throw ServerProblem("There is no such answer.") }
        guard answer.status == 200 else { throw try ServerProblem(bytes) }
        return bytes
    }

    private static let measuringTime: Duration = .milliseconds(250)
}
