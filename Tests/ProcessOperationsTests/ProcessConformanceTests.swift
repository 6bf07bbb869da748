import Foundation
import OperationTracking
import OperationTrackingTesting
import ProcessOperations
import TestSupport
import Testing

struct ProcessConformanceTests {
    private static func sample() throws -> ProviderSample<ProcessProvider> {
        let file = NSTemporaryDirectory() + "conformance-\(UUID().uuidString)"
        let script =
            #"echo $$ >"$0"; i=0; while [ $i -lt 20 ]; do i=$((i + 1)); echo "[$i/20]"; sleep 0.05; done; rm "$0""#
        var sample = ProviderSample(
            ProcessProvider(),
            succeeding: .init(command: ["echo", "good\nmorning"], environment: ["B": "2", "A": "1"]),
            failing: .init(command: ["sh", "-c", "echo no >&2; exit 3"]),
            long: .init(command: ["sh", "-c", script, file], name: "count to 20")
        )
        sample.invalid = [.init(command: []), .init(command: ["true", "a\0b"])]
        sample.leftovers = {
            guard let text = try? String(contentsOfFile: file, encoding: .utf8), let pid = Int32(text.dropLast()) else {
                return []
            }
            return SystemProcess.isAlive(pid) ? ["process \(pid)"] : []
        }
        return sample
    }

    @Test(arguments: ProviderExpectation.allCases.filter { $0 != .keepsSecrets })
    func runningACommand(_ expectation: ProviderExpectation) async throws {
        try await ProviderConformance.check(expectation) { try Self.sample() }
    }
}
