import Foundation
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Synchronization

@testable import NounProjectOperations

/// A stand-in for the Noun Project that answers in its shapes, and a folder to fill.
final class SeedFixture: Sendable {
    /// What a test puts in the place of the usual answer: given the path and the query, its own one, or `nil`.
    typealias Rule = @Sendable (_ path: String, _ query: [String: String]) throws -> HTTPResponse?

    let base = FileManager.default.temporaryDirectory.appending(path: "seed-\(UUID().uuidString)").path
    let clock: any TrackingClock
    let transport: FakeTransport
    private let service: Service

    static let svg = #"<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L9 9z"/></svg>"# + "\n"

    init(clock: any TrackingClock = .system, gate: Gate? = nil, _ rule: @escaping Rule = { _, _ in nil }) {
        self.clock = clock
        let service = Service(clock: clock, rule: rule)
        self.service = service
        transport = FakeTransport { request in
            await gate?.pass()
            if let delay = service.delay.withLock({ $0 }) { try await Task.sleep(for: delay) }
            return try service.answer(request)
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: base)
    }

    var root: String { base + "/icons" }
    /// When each request came, in milliseconds on the clock.
    var callTimes: [Int64] { service.times.withLock { $0 } }

    /// The paths that were asked for, with the query of a search.
    var asked: [String] {
        transport.sent.map { request in
            let (path, query) = request.target
            return query["query"].map { "\(path)?\($0)" } ?? path
        }
    }

    var downloads: [String] { asked.filter { $0.hasSuffix("/download") } }

    /// Makes every answer take some time.
    func setDelay(_ delay: Duration) { service.delay.withLock { $0 = delay } }
    func setRule(_ rule: @escaping Rule) { service.rule.withLock { $0 = rule } }

    func provider(
        limits: CallLimits = CallLimits(),
        countFile: String? = nil,
        allowsAnyRoot: Bool = false
    ) -> SeedIconsProvider {
        let client = NounProjectClient(credentials: .test, transport: transport, clock: clock)
        return SeedIconsProvider(
            client: client,
            root: root,
            allowsAnyRoot: allowsAnyRoot,
            limits: limits,
            countFile: countFile
        )
    }

    /// Every file below the root, without the lock.
    var files: [String] {
        let all = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return all.filter { !isFolder($0) && $0 != ".seed.lock" }.sorted()
    }

    var index: JSONValue? {
        FileManager.default.contents(atPath: root + "/index.json").flatMap { JSONValue(Array($0)) }
    }

    func text(_ file: String) -> String? {
        FileManager.default.contents(atPath: "\(root)/\(file)").map { String(decoding: $0, as: UTF8.self) }
    }

    private func isFolder(_ file: String) -> Bool {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: "\(root)/\(file)", isDirectory: &isFolder)
        return isFolder.boolValue
    }

    /// The id that an icon for a term has.
    static func id(of term: String, _ number: Int = 0) -> String {
        String(term.utf8.reduce(7) { ($0 * 31 + Int($1)) % 100_000 } * 10 + number)
    }

    static func found(_ ids: [String], link: String? = nil, usage: String = "{}") -> HTTPResponse {
        let icons = ids.map { id in
            let link = link.map { #", "icon_url": "\#($0)""# } ?? ""
            return
                #"{"id": "\#(id)", "term": "Icon", "attribution": "Icon \#(id) by Ann", "license_description": "public-domain", "creator": {"name": "Ann"}\#(link)}"#
        }
        return .json(#"{"icons": [\#(icons.joined(separator: ","))], "usage_limits": \#(usage)}"#)
    }

    static func download(_ bytes: [UInt8]) -> HTTPResponse {
        .json(#"{"base64_encoded_file": "\#(Data(bytes).base64EncodedString())"}"#)
    }
}

private final class Service: Sendable {
    private let clock: any TrackingClock
    let times = Mutex<[Int64]>([])
    let rule: Mutex<SeedFixture.Rule>
    let delay = Mutex<Duration?>(nil)

    init(clock: any TrackingClock, rule: @escaping SeedFixture.Rule) {
        self.clock = clock
        self.rule = Mutex(rule)
    }

    func answer(_ request: HTTPRequest) throws -> HTTPResponse {
        times.withLock { $0.append(clock.wallMilliseconds) }
        let (path, query) = request.target
        if let answer = try rule.withLock({ $0 })(path, query) { return answer }
        if path.hasSuffix("/download") {
            return SeedFixture.download(query["filetype"] == "png" ? onePixel : Array(SeedFixture.svg.utf8))
        }
        let count = query["limit"].flatMap(Int.init) ?? 1
        return SeedFixture.found((0..<count).map { SeedFixture.id(of: query["query"] ?? "", $0) })
    }
}

extension SeedFixture {
    struct Ending {
        var operation: BackgroundOperation
        var output: SeedIconsProvider.Output?
        /// Everything that subscribers were told and the history keeps, as text.
        var told: String
    }

    /// Runs a request to its end. A manual clock is moved on for as long as that takes.
    func run(
        _ request: SeedIconsProvider.Request,
        _ provider: SeedIconsProvider? = nil,
        retry: RetryPolicy = .never
    ) async throws -> Ending {
        let history = InMemoryHistoryStore()
        let tracker = OperationTracker(history: history, clock: clock)
        let events = tracker.events()
        let running = try await OperationRunner(tracker: tracker)
            .submit(request, to: provider ?? self.provider(), options: .init(retry: retry))
        let isDone = Atomic(false)
        async let moving: Void = move { isDone.load(ordering: .relaxed) }
        var told = ""
        for await event in events {
            guard let operation = event.operation else { continue }
            told += String(decoding: operation.jsonBytes(), as: UTF8.self) + "\n"
            if case .finished = event.kind { break }
        }
        isDone.store(true, ordering: .relaxed)
        await moving
        let output = try? await running.output
        let record = try await history.record(running.id)
        told += "\(String(describing: record))"
        for bytes in [record?.request, record?.result, record?.resumeState] {
            told += String(decoding: bytes ?? [], as: UTF8.self)
        }
        return Ending(operation: try requireValue(tracker.operation(running.id)), output: output, told: told)
    }

    private func move(until isDone: @Sendable () -> Bool) async {
        guard let clock = clock as? ManualClock else { return }
        while !isDone() {
            // The ticker and the run: time stands still while one of them works, however long that takes.
            if clock.sleeperCount > 1 { clock.advanceToNextSleeper() }
            await briefPause()
        }
    }

    private func requireValue<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw CocoaError(.featureUnsupported) }
        return value
    }
}
