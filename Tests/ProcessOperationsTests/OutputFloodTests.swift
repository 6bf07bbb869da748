import Foundation
import OperationTracking
import ProcessOperations
import Testing

struct OutputFloodTests {
    private let runs = Runs()

    /// In a process of its own: what is measured is the memory of the whole of it.
    @Test func anOutputWithoutLineEndsTakesNoMemory() async {
        await #expect(processExitsWith: .success) {
            for (rule, size) in [(ProgressRule.none, 20_000_000 as Int64), (.automatic, 1_000_000_000)] {
                let runs = Runs()
                _ = try await runs.start("head -c 1000000 /dev/zero", progress: rule).output
                let before = try OwnProcess.residentBytes()
                let running = try await runs.start("head -c \(size) /dev/zero", progress: rule)
                var highest = before
                while runs.tracker.operation(running.id)?.status.isActive == true {
                    highest = try max(highest, OwnProcess.residentBytes())
                    try await Task.sleep(for: .milliseconds(5))
                }
                let output = try await running.output
                #expect(output.outputBytes == size)
                #expect(output.outputTail.utf8.count == 3 * 16 * 1024)
                #expect(highest - before < 40_000_000)
            }
        }
    }

    @Test func aResultIsKeptWhateverTheOutputIs() async throws {
        for byte in ["\\000", "\\377", "\"", "\\n", "\\033["] {
            let output = try await runs.start("yes \"$(printf '\(byte)')\" | head -c 40000").output
            #expect(output.outputBytes == 40_000)
            #expect(try JSONEncoder().encode(output).count <= OperationRecord.payloadLimit)
        }
    }

    @Test func aFloodDelaysNoCancellation() async throws {
        let running = try await runs.start(["yes"], progress: .automatic)
        try await runs.operation(running.id, says: "y")
        try await runs.tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
    }
}
