import OperationTrackingTesting
import Synchronization
import TestSupport
import Testing

@testable import OperationTracking

/// Random schedules of everything that can be done to a runner: nothing is lost, no limit is exceeded, nothing starves.
struct RunnerPropertyTests {
    @Test(arguments: 0..<40, [ProviderTraits.Pausing.inPlace, .byRestart, .unsupported])
    func anyScheduleEndsWell(_ seed: Int, _ pausing: ProviderTraits.Pausing) async throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let clock = ManualClock()
        let history = InMemoryHistoryStore()
        let tracker = OperationTracker(history: history, clock: clock)
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = Int.random(in: 1...4, using: &generator)
        let runner = OperationRunner(tracker: tracker, configuration: configuration)
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: pausing))
        let failure = OperationFailure(.providerError, "as told")
        var submitted: [SubmittedOperation<String>] = []
        var wishes: [OperationID: PendingRequest] = [:]

        for step in 0..<120 {
            let target = submitted.randomElement(using: &generator)
            let name = target.flatMap { tracker.operation($0.id)?.description } ?? ""
            switch Int.random(in: 0..<9, using: &generator) {
            case 0, 1:
                let priority = OperationPriority.allCases.randomElement(using: &generator) ?? .normal
                submitted.append(
                    try await runner.submit(.init("\(step)"), to: provider, options: .init(priority: priority))
                )
            case 2:
                if let target, (try? await tracker.pause(target.id)) != nil { wishes[target.id] = .pause }
            case 3:
                if let target, (try? await tracker.resume(target.id)) != nil { wishes[target.id] = .resume }
            case 4: if let target { try? await tracker.cancel(target.id) }
            case 5: provider.finish(name)
            case 6: provider.fail(name, with: failure)
            case 7: if let target { try? await runner.setPriority(.high, of: target.id) }
            default: for _ in 0..<Int.random(in: 1...30, using: &generator) { await Task.yield() }
            }
            #expect(provider.runningCount <= configuration.maximumRunning)
            if pausing == .unsupported {
                // A wish to pause is refused or holds back what has not begun; it never stands where nobody can follow it.
                let stuck = tracker.activeOperations.filter { $0.status == .inProgress && $0.pendingRequest == .pause }
                #expect(stuck.isEmpty)
            }
        }

        for (id, wish) in wishes {
            try await eventually("\(id) is as it was last asked to be: \(wish)") {
                guard let operation = tracker.operation(id), operation.status.isActive else { return true }
                let isHeld =
                    operation.status == .paused || (operation.status == .pending && operation.pendingRequest == .pause)
                // What is to go on may wait for a place.
                return wish == .pause ? isHeld : !isHeld || operation.pendingRequest == .resume
            }
        }

        // Everything that is still open is resumed and told to finish, so everything must end.
        for operation in submitted where tracker.operation(operation.id)?.status.isActive == true {
            try? await tracker.resume(operation.id)
            provider.finish(tracker.operation(operation.id)?.description ?? "")
        }
        while tracker.summary.totalActive > 0 { await briefPause() }

        #expect(provider.peakRunningCount <= configuration.maximumRunning)
        #expect(await runner.queuedCount == 0)
        #expect(await runner.runningCount == 0)
        let summary = tracker.summary
        #expect(summary[.completed] + summary[.failed] + summary[.cancelled] == submitted.count)
        #expect(summary.activeByType.isEmpty)
        for operation in submitted {
            let status = try #require(try await history.record(operation.id)).operation.status
            #expect(status.isTerminal)
            #expect(status == tracker.operation(operation.id)?.status)
        }
    }

    /// Wholes that do work of their own beside their parts, all of them paused and resumed at random, alone and together.
    @Test(arguments: 0..<20, [ProviderTraits.Pausing.inPlace, .byRestart])
    func wholesAndPartsAreAsTheyWereLastAskedToBe(_ seed: Int, _ pausing: ProviderTraits.Pausing) async throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let tracker = OperationTracker(history: InMemoryHistoryStore(), clock: ManualClock())
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = 20
        let runner = OperationRunner(tracker: tracker, configuration: configuration)
        let partsPausing: ProviderTraits.Pausing = Bool.random(using: &generator) ? .inPlace : .byRestart
        let provider = WholeProvider(runner: runner, pausing: pausing, partsPausing: partsPausing)
        var wholes: [SubmittedOperation<Int>] = []
        for _ in 0..<2 { wholes.append(try await runner.submit(.init(), to: provider)) }
        for whole in wholes { try await eventually("it has its parts") { provider.parts(of: whole.id).count == 2 } }

        for _ in 0..<60 {
            guard let whole = wholes.randomElement(using: &generator)?.id else { break }
            let target = (provider.parts(of: whole) + [whole]).randomElement(using: &generator) ?? whole
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1: try await tracker.pause(target)
            case 2, 3: try await tracker.resume(target)
            default: for _ in 0..<Int.random(in: 1...30, using: &generator) { await Task.yield() }
            }
        }
        for whole in wholes {
            let all = provider.parts(of: whole.id) + [whole.id]
            try await tracker.pause(whole.id)
            try await eventually("the whole and its parts have paused") {
                all.allSatisfy { tracker.operation($0)?.status == .paused }
            }
            for _ in 0..<20 { await briefPause() }
            #expect(all.allSatisfy { tracker.operation($0)?.status == .paused }, "they stay so")

            let moves = provider.moves(of: whole.id)
            try await tracker.resume(whole.id)
            try await eventually("the whole and its parts go on") {
                all.allSatisfy {
                    guard let operation = tracker.operation($0) else { return false }
                    return operation.status == .inProgress && operation.pendingRequest == nil
                } && provider.moves(of: whole.id) > moves
            }
            provider.finishParts(of: whole.id)
            #expect(try await whole.output == 2)
        }
        #expect(tracker.summary.totalActive == 0)
    }

    // MARK: Trees

    /// Parts of parts, run by the runner and by their wholes, that end while the wishes come and begin again after pauses.
    @Test(arguments: 0..<24, [nil, ProviderTraits.Pausing.inPlace, .byRestart])
    func aTreeIsAsItsRootWasLastAskedToBe(_ seed: Int, _ pausing: ProviderTraits.Pausing?) async throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let tracker = OperationTracker(history: InMemoryHistoryStore(), clock: ManualClock())
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = Int.random(in: 1...3, using: &generator)
        let runner = OperationRunner(tracker: tracker, configuration: configuration)
        let provider = TreeProvider(runner: runner, seed: UInt64(seed), pausing: pausing)
        let root = try await runner.submit(.init(path: "root", depth: 3), to: provider)

        for _ in 0..<60 {
            let others = tracker.activeOperations.map(\.id)
            let target = Bool.random(using: &generator) ? root.id : others.randomElement(using: &generator) ?? root.id
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1: try? await tracker.pause(target)
            case 2, 3: try? await tracker.resume(target)
            case 4: for _ in 0..<Int.random(in: 1...5, using: &generator) { await briefPause() }
            default: for _ in 0..<Int.random(in: 1...30, using: &generator) { await Task.yield() }
            }
        }

        try? await tracker.pause(root.id)
        await expectSoon("all that is left stands still", in: tracker) {
            tracker.operation(root.id)?.status.isActive == false || tracker.activeOperations.allSatisfy(\.standsStill)
        }
        for _ in 0..<20 { await briefPause() }
        var hasEnded: Bool { tracker.operation(root.id)?.status.isActive == false }
        #expect(hasEnded || tracker.activeOperations.allSatisfy { $0.standsStill }, "it stays so")

        let isToGoOn = Bool.random(using: &generator)
        if isToGoOn { try? await tracker.resume(root.id) } else { try? await tracker.cancel(root.id) }
        // Work that doesn't wait for its parts may end before them; then they have nobody's wish but their own.
        if hasEnded {
            for operation in tracker.activeOperations { try? await tracker.resume(operation.id) }
        }
        #expect(tracker.activeOperations.allSatisfy { !$0.standsStill }, "nobody is held without a wish")
        await expectSoon("all comes to its end", in: tracker) { tracker.summary.totalActive == 0 }
        let status = tracker.operation(root.id)?.status
        #expect(status == .completed || (status == .cancelled && !isToGoOn))
        await expectSoon("the runner has forgotten them", in: tracker) {
            let (running, queued) = (await runner.runningCount, await runner.queuedCount)
            return running == 0 && queued == 0
        }
    }

    private func expectSoon(_ what: String, in tracker: OperationTracker, _ condition: () async -> Bool) async {
        if (try? await eventually(what, condition)) != nil { return }
        let left = tracker.activeOperations.map { operation in
            let (status, wish) = (operation.status.rawValue, operation.pendingRequest?.rawValue ?? "-")
            let whole = operation.parentID.flatMap(tracker.operation).map { "\($0.description) \($0.status)" }
            return "\(operation.description) \(status) \(wish) in \(whole ?? "-")"
        }
        Issue.record("\(what): \(left.joined(separator: "; "))")
    }
}

/// Has two parts, and moves beside them until they have ended.
private final class WholeProvider: OperationProvider {
    struct Request: Codable, Sendable {}

    static let operationType = OperationType("whole")
    let traits: ProviderTraits
    private let runner: OperationRunner
    private let scripted: ScriptedProvider
    private let known = Mutex<[OperationID: (parts: [OperationID], moves: Int)]>([:])
    var unit: OperationUnit { .fraction }

    init(runner: OperationRunner, pausing: ProviderTraits.Pausing, partsPausing: ProviderTraits.Pausing) {
        self.runner = runner
        traits = ProviderTraits(pausing: pausing)
        scripted = ScriptedProvider(traits: ProviderTraits(pausing: partsPausing))
    }

    func parts(of whole: OperationID) -> [OperationID] { known.withLock { $0[whole]?.parts ?? [] } }
    func moves(of whole: OperationID) -> Int { known.withLock { $0[whole]?.moves ?? 0 } }
    func finishParts(of whole: OperationID) { for number in 0..<2 { scripted.finish("\(whole) \(number)") } }

    func description(of request: Request) -> String { "whole" }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Int {
        if parts(of: handle.id).isEmpty {
            var parts: [OperationID] = []
            for number in 0..<2 {
                let band = Double(number) / 2..<Double(number + 1) / 2
                let options = OperationRunner.Options(parent: handle.id, band: band)
                parts.append(
                    try await runner.submit(.init("\(handle.id) \(number)"), to: scripted, options: options).id
                )
            }
            known.withLock { $0[handle.id] = (parts, 0) }
        }
        while parts(of: handle.id).contains(where: { runner.tracker.operation($0)?.status.isActive == true }) {
            try await handle.checkpoint()
            known.withLock { $0[handle.id]?.moves += 1 }
            await briefPause()
        }
        return parts(of: handle.id).count
    }
}

extension BackgroundOperation {
    fileprivate var standsStill: Bool {
        (status == .paused && pendingRequest == nil) || (status == .pending && pendingRequest == .pause)
    }
}

/// Has one to three parts, one after the other, each of which has parts of its own; the innermost work for a moment. Equal paths
/// make equal trees.
private struct TreeProvider: OperationProvider {
    struct Request: Codable, Sendable {
        var path: String
        var depth: Int
    }

    static let operationType = OperationType("tree")
    let runner: OperationRunner
    let seed: UInt64
    /// How its work pauses; `nil` for each in its own way.
    let pausing: ProviderTraits.Pausing?
    /// Work that is begun again finds what is left of its parts, or has new ones beside them.
    var traits: ProviderTraits {
        ProviderTraits(pausing: pausing ?? (seed % 4 < 2 ? .inPlace : .byRestart), isUnique: seed % 2 == 0)
    }
    var unit: OperationUnit { .fraction }

    func description(of request: Request) -> String { request.path }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Int {
        var generator = SeededGenerator(seed: request.path.utf8.reduce(seed) { $0 &* 31 &+ UInt64($1) })
        guard request.depth > 0 else {
            for _ in 0..<Int.random(in: 1...15, using: &generator) {
                try await handle.checkpoint()
                await briefPause()
            }
            return 1
        }
        let count = Int.random(in: 1...3, using: &generator)
        for number in 0..<count {
            let band = Double(number) / Double(count)..<Double(number + 1) / Double(count)
            let part = Request(path: "\(request.path).\(number)", depth: request.depth - 1)
            // Some don't wait for their part, and may end before it.
            let waits = Int.random(in: 0..<4, using: &generator) > 0
            guard Bool.random(using: &generator) else {
                try await run(part, in: handle, band, waits)
                continue
            }
            let middle = pausing ?? (Bool.random(using: &generator) ? .inPlace : .byRestart)
            try await handle.withPart(
                type: .install,
                description: "\(part.path) middle",
                band: band,
                unit: .fraction,
                pausing: middle
            ) { try await run(part, in: $0, 0..<0.9, waits) }
        }
        return count
    }

    private func run(_ part: Request, in whole: OperationHandle, _ band: Range<Double>, _ waits: Bool) async throws {
        let part = try await runner.submit(part, to: self, options: .init(parent: whole.id, band: band))
        if waits { _ = try await part.output }
    }
}
