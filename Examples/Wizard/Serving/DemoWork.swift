import OllamaStandIn
import OperationHTTP
import OperationTracking
import OperationTransfer
import ProcessOperations

/// What `wizard demo --serve` keeps going until it is stopped: operations of each kind that needs nothing but this machine.
struct DemoWork: Sendable {
    let service: Service

    /// More than anybody will watch, each pulled once: a model that is there already is there at once.
    static let models = (1...99).map { number in
        ScriptedModel(
            name: "demo:\(number)",
            bytes: (number % 3 + 1) * 400_000_000,
            link: LinkSchedule(
                [
                    .init(seconds: 5, bytesPerSecond: 22_000_000),
                    .init(seconds: 4, bytesPerSecond: 9_000_000),
                    .init(seconds: 1, bytesPerSecond: 0),
                    .init(seconds: 6, bytesPerSecond: 30_000_000),
                ],
                repeats: true
            ),
            faults: number % 5 == 0 ? [Fault(.completedFalls(afterBytes: 200_000_000, to: 160_000_000))] : []
        )
    }

    /// Stands beside the page, to be downloaded.
    static let file = APIAsset(
        path: "/demo/zeros.bin",
        contentType: "application/octet-stream",
        bytes: [UInt8](repeating: 0, count: 48_000_000)
    )

    /// Begins each kind again some time after it has ended, until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for lane in 1...2 {
                group.addTask {
                    await again(after: .seconds(2)) { round in try await pull("demo:\((2 * round + lane) % 99 + 1)") }
                }
            }
            group.addTask { await again(after: .seconds(45)) { _ in try await pull("no-such-model") } }
            group.addTask { await again(after: .seconds(4)) { _ in try await download() } }
            group.addTask { await again(after: .seconds(6)) { _ in try await runCommand() } }
            group.addTask { await again(after: .seconds(8)) { _ in try await setUp() } }
        }
    }

    /// What fails or is cancelled is part of the demonstration, and seen on the page.
    private func again(after pause: Duration, _ work: (Int) async throws -> Void) async {
        for round in 0... {
            try? await work(round)
            do { try await Task.sleep(for: pause) } catch { return }
        }
    }

    private func pull(_ model: String) async throws {
        try await submit(#"{"model":"\#(model)","insecure":false}"#, .pullModel)
    }

    private func download() async throws {
        let url = service.url + Self.file.path
        try await submit(#"{"url":"\#(url)","limit":1500000,"overwrite":true}"#, .download)
    }

    private func runCommand() async throws {
        let script =
            #"i=0; while [ $i -lt 60 ]; do i=$((i+1)); head -c 9000000 /dev/zero | cksum > /dev/null; echo "[$i/60]"; sleep 0.5; done"#
        let request = ProcessProvider.Request(
            command: ["/bin/sh", "-c", script],
            name: "Checksum 60 blocks",
            progress: .fraction
        )
        _ = try await service.runner.submit(request, to: ProcessProvider()).output
    }

    /// Work that is a closure, with parts that are operations of their own.
    private func setUp() async throws {
        try await service.tracker.withOperation(type: .install, description: "Set up a service", unit: .fraction) {
            whole in
            try await count("Unpack 90 files", to: 90, in: 0..<0.3, of: whole)
            try await count("Load 250 countries", type: .seed, to: 250, in: 0.3..<1, of: whole)
        }
    }

    private func count(
        _ description: String,
        type: OperationType = .install,
        to total: Int64,
        in band: Range<Double>,
        of whole: OperationHandle
    ) async throws {
        try await whole.withPart(type: type, description: description, band: band, total: total) { part in
            for number in 1...total {
                try await part.checkpoint()
                try await Task.sleep(for: .milliseconds(120))
                part.update(completed: number)
            }
        }
    }

    private func submit(_ json: String, _ type: OperationType) async throws {
        _ = try await service.runner.submit(json: Array(json.utf8), of: type).output
    }
}
