import OperationTracking
import OperationTransfer

/// Downloads one URL several times at once for some seconds of real time, under limits, and prints how many bytes a second each had.
///
/// usage: transfer-probe FOLDER URL SHARED-LIMIT OWN-LIMIT …   (0 for no limit)
@main
struct TransferProbe {
    private static let seconds = 10.0

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 4, let shared = Int64(arguments[3]) else { fatalError("usage: see the source") }
        let own = arguments[4...].compactMap { Int64($0) }
        let tracker = OperationTracker()
        if shared > 0 { try tracker.bandwidth.setLimit(shared) }
        let runner = OperationRunner(tracker: tracker)
        let provider = DownloadProvider(transport: CurlTransport(), directory: arguments[1])

        var ids: [OperationID] = []
        for (number, limit) in own.enumerated() {
            let request = DownloadProvider.Request(
                url: arguments[2],
                target: "\(number)",
                limit: limit > 0 ? limit : nil
            )
            ids.append(try await runner.submit(request, to: provider).id)
        }
        let amounts = { ids.map { tracker.operation($0)?.progress.completedUnits ?? 0 } }
        // What came while it began doesn't count: the limits are about what goes on.
        try await Task.sleep(for: .seconds(1))
        let clock = ContinuousClock()
        let (start, before) = (clock.now, amounts())
        try await Task.sleep(for: .seconds(seconds))
        let (elapsed, after) = (clock.now - start, amounts())
        for (first, last) in zip(before, after) { print(Double(last - first) / (elapsed / .seconds(1))) }
        await runner.shutDown(within: .zero)
    }
}
