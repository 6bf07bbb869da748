import OperationTracking
import Synchronization

let arguments = CommandLine.arguments.dropFirst()
guard arguments.first == "core", arguments.count <= 2, arguments.dropFirst().allSatisfy({ $0 == "--quick" }) else {
    print("usage: operation-benchmarks core [--quick]")
    throw ExitUsage()
}
print("| what | ns | spread | limit in the same run, ns | ratio |\n|---|---|---|---|---|")
for benchmark in try await coreSuite(scale: arguments.contains("--quick") ? 1 : 20) { print(benchmark.row) }

struct ExitUsage: Error {}
