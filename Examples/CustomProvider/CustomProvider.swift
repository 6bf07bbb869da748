import Foundation
import OperationHistorySQLite
import OperationTracking

/// Runs the provider, shows how far it is, and what the history has of it.
@main
struct CustomProvider {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else {
            print("usage: custom-provider FOLDER LIST\nWrites the CRC-32 of every file in FOLDER to LIST.")
            return
        }
        let data = FileManager.default.temporaryDirectory.appendingPathComponent("custom-provider").path
        let history = try await SQLiteHistoryStore.open(in: data)
        let tracker = OperationTracker(history: history)
        let runner = OperationRunner(tracker: tracker)

        let events = tracker.events()
        let request = ChecksumProvider.Request(folder: arguments[1], list: arguments[2])
        let running = try await runner.submit(request, to: ChecksumProvider())
        for await event in events {
            guard let operation = event.operation, operation.id == running.id else { continue }
            print(operation.status, "\(Int(operation.progress.percent)) %", operation.message ?? "")
            if operation.status.isTerminal { break }
        }

        print("\nWhat the history in \(data) has:")
        for record in try await history.page(HistoryQuery(limit: 5)).records {
            let result = record.result.map { String(decoding: $0, as: UTF8.self) }
            print(
                record.operation.status,
                record.operation.description,
                result ?? record.operation.failure?.message ?? ""
            )
        }
        await tracker.close()
    }
}
