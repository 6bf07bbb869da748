import Hummingbird
import OperationHTTP
import OperationTracking

/// A service of its own that also shows its long-running work: everything but these few lines is Hummingbird's.
@main
struct Main {
    static func main() async throws {
        let tracker = OperationTracker()
        var configuration = OperationAPI.Configuration()
        // Hummingbird doesn't tell whose program asks, so everyone needs the token.
        configuration.token = "change-me-before-use"
        let api = OperationAPI(tracker: tracker, configuration: configuration)

        let router = Router()
        router.add(middleware: OperationsMiddleware(api: api))
        router.get("/") { _, _ in "The service's own page" }
        router.post("/work") { _, _ in
            Task {
                try await tracker.withOperation(type: .seed, description: "Count", total: 100, unit: .items) { handle in
                    for number in 1...100 {
                        try await handle.checkpoint()
                        try await Task.sleep(for: .milliseconds(50))
                        handle.update(completed: Int64(number))
                    }
                }
            }
            return "begun"
        }
        try await Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: 8080)))
            .runService()
        await tracker.close()
    }
}
