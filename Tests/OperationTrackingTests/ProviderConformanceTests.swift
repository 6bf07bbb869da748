import OperationTracking
import OperationTrackingTesting
import Synchronization
import Testing

/// The conformance checks pass a provider that is right, and find out each way to be wrong.
struct ProviderConformanceTests {
    private static let pausings: [ProviderTraits.Pausing] = [.inPlace, .byRestart, .unsupported]

    @Test(arguments: ProviderExpectation.allCases, pausings)
    func aRightProviderMeets(_ expectation: ProviderExpectation, _ pausing: ProviderTraits.Pausing) async throws {
        try await ProviderConformance.check(expectation) { StepProvider.sample(pausing, nil) }
    }

    @Test(arguments: [
        (Bug.describesNothing, ProviderExpectation.namesItsWork),
        (.describesAtLength, .namesItsWork),
        (.describesInTwoLines, .namesItsWork),
        (.describesByChance, .namesItsWork),
        (.requestLosesItsName, .keepsItsRequests),
        (.requestIsLarge, .keepsItsRequests),
        (.resultIsLarge, .completesWithAResult),
        (.throwsAlways, .completesWithAResult),
        (.leavesFiles, .completesWithAResult),
        (.endsShort, .reportsHonestAmounts),
        (.goesBeyondTheTotal, .reportsHonestAmounts),
        (.throwsWithoutCode, .failsWithACodeAndAReason),
        (.throwsWithoutReason, .failsWithACodeAndAReason),
        (.neverFails, .failsWithACodeAndAReason),
        (.leavesFiles, .failsWithACodeAndAReason),
        (.takesAnything, .refusesInvalidRequests),
        (.refusesWithoutReason, .refusesInvalidRequests),
        (.tellsItsSecretInAFailure, .refusesInvalidRequests),
        (.leavesFiles, .isCancelledAtOnce),
        (.swallowsCancellation, .isCancelledAtOnce),
        (.leavesFiles, .isCancelledInTheMiddle),
        (.swallowsCancellation, .isCancelledInTheMiddle),
        (.hangsWhenCancelled, .isCancelledInTheMiddle),
        (.throwsAlways, .isCancelledInTheMiddle),
        (.hangsWhenCancelled, .isCancelledWhilePaused),
        (.leavesFiles, .isCancelledWhilePaused),
        (.neverComesToACheckpoint, .pausesAsItSays),
        (.goesOnWhilePaused, .pausesAsItSays),
        (.forgetsWhatItDid, .pausesAsItSays),
        (.forgetsWhatItDid, .goesOnAfterARestart),
        (.neverComesToACheckpoint, .goesOnAfterARestart),
        (.hangsWhenCancelled, .beginsAgainAfterAnInterruption),
        (.stumblesOverWhatIsLeft, .beginsAgainAfterAnInterruption),
        (.tellsItsSecretInAMessage, .keepsSecrets),
        (.tellsItsSecretInAFailure, .keepsSecrets),
        (.tellsItsSecretInItsResumeState, .keepsSecrets),
    ])
    func aWrongProviderIsFoundOut(_ bug: Bug, _ expectation: ProviderExpectation) async throws {
        let pausing: ProviderTraits.Pausing = bug == .forgetsWhatItDid ? .byRestart : .inPlace
        let failure = await #expect(throws: ConformanceFailure.self) {
            try await ProviderConformance.check(expectation) { StepProvider.sample(pausing, bug) }
        }
        #expect(failure.map { !$0.found.contains(StepProvider.secret) } == true)
    }

    @Test func aSampleWithoutWhatACheckNeedsIsNoSuccess() async throws {
        let bare = ProviderSample(StepProvider(pausing: .inPlace, bug: nil, desk: Desk()), succeeding: .init(steps: 1))
        for expectation in [ProviderExpectation.failsWithACodeAndAReason, .isCancelledInTheMiddle, .keepsSecrets] {
            await #expect(throws: ConformanceFailure.self) {
                try await ProviderConformance.check(expectation) { bare }
            }
        }
        let leftOut = try await ProviderConformance.check { bare }
        #expect(leftOut.count == 9)
        #expect(try await ProviderConformance.check { StepProvider.sample(.inPlace, nil) } == [])
    }
}

/// A way in which a provider is wrong.
enum Bug: Sendable {
    case describesNothing, describesAtLength, describesInTwoLines, describesByChance
    case requestLosesItsName, requestIsLarge, resultIsLarge
    case throwsAlways, throwsWithoutCode, throwsWithoutReason, neverFails, leavesFiles
    case takesAnything, refusesWithoutReason
    case endsShort, goesBeyondTheTotal
    case swallowsCancellation, hangsWhenCancelled, neverComesToACheckpoint, goesOnWhilePaused
    case forgetsWhatItDid, stumblesOverWhatIsLeft
    case tellsItsSecretInAMessage, tellsItsSecretInAFailure, tellsItsSecretInItsResumeState
}

/// Where work keeps what it is at.
final class Desk: Sendable {
    private let files = Mutex<[String]>([])

    var left: [String] { files.withLock(\.self) }
    func put(_ name: String) { files.withLock { $0.append(name) } }
    func clear() { files.withLock { $0 = [] } }
}

/// Takes a second for a step, on the operation's clock.
private struct StepProvider: OperationProvider {
    struct Request: Codable, Sendable {
        var steps: Int64
        var name: String?
        var note = ""

        private enum CodingKeys: String, CodingKey { case steps, note }

        init(steps: Int64, name: String? = nil, note: String = "") {
            self.steps = steps
            self.name = name
            self.note = note
        }
    }

    struct Output: Codable, Sendable {
        var steps: [Int64]
        var note = ""
    }

    struct Plain: Error {}

    static let operationType = OperationType("steps")
    static let secret = "open/sesame"

    let pausing: ProviderTraits.Pausing
    let bug: Bug?
    let desk: Desk

    static func sample(_ pausing: ProviderTraits.Pausing, _ bug: Bug?) -> ProviderSample<StepProvider> {
        let desk = Desk()
        let name = bug == .requestLosesItsName ? "lost" : nil
        let note = bug == .requestIsLarge ? String(repeating: "x", count: 70_000) : ""
        var sample = ProviderSample(
            StepProvider(pausing: pausing, bug: bug, desk: desk),
            succeeding: .init(steps: 3, name: name, note: note),
            failing: .init(steps: -1),
            long: .init(steps: 20)
        )
        sample.invalid = [.init(steps: 1001)]
        sample.secrets = [secret]
        sample.clock = ManualClock()
        sample.leftovers = { desk.left }
        // What never comes about is waited for in vain.
        if bug != nil { sample.patience = .seconds(1) }
        return sample
    }

    var traits: ProviderTraits { ProviderTraits(pausing: pausing) }

    func validate(_ request: Request) throws {
        guard request.steps > 1000, bug != .takesAnything else { return }
        switch bug {
        case .refusesWithoutReason: throw OperationFailure(.invalidRequest, "")
        case .tellsItsSecretInAFailure: throw failure
        default: throw OperationFailure(.invalidRequest, "There are at most 1000 steps: ask for fewer.")
        }
    }

    func description(of request: Request) -> String {
        switch bug {
        case .describesNothing: " "
        case .describesAtLength: String(repeating: "é", count: 501)
        case .describesInTwoLines: "one\ntwo"
        case .describesByChance: "\(UInt64.random(in: 0 ... .max))"
        default: "\(request.steps) steps \(request.name ?? "")"
        }
    }

    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output {
        if bug == .stumblesOverWhatIsLeft, !desk.left.isEmpty { throw Plain() }
        desk.put("half")
        let isInterrupted = bug == .leavesFiles || bug == .stumblesOverWhatIsLeft
        do {
            let output = try await work(request, handle)
            if bug != .leavesFiles { desk.clear() }
            return output
        } catch {
            if !isInterrupted { desk.clear() }
            throw error
        }
    }

    private func work(_ request: Request, _ handle: OperationHandle) async throws -> Output {
        if bug == .throwsAlways { throw OperationFailure(.timeout, "It takes too long.") }
        if request.steps < 0, bug != .neverFails { throw failure }
        handle.setTotal(max(0, request.steps))
        if bug == .tellsItsSecretInAMessage { handle.setMessage("with \(Self.secret)") }
        if bug == .tellsItsSecretInItsResumeState {
            try handle.saveResumeState(Array(#"{"key": "open\/sesame"}"#.utf8))
            return Output(steps: [])
        }
        var steps = resumed(handle)
        let forgotten = bug == .forgetsWhatItDid ? steps.count : 0
        while steps.count < request.steps {
            try await step(Int64(steps.count + 1), handle)
            steps.append(Int64(steps.count + 1))
            try handle.saveResumeState(Array("[\(steps.map(String.init).joined(separator: ","))]".utf8))
        }
        if bug == .goesBeyondTheTotal { handle.update(completed: request.steps + 1) }
        return Output(
            steps: Array(steps.dropFirst(forgotten)),
            note: bug == .resultIsLarge ? String(repeating: "x", count: 70_000) : ""
        )
    }

    private func step(_ number: Int64, _ handle: OperationHandle) async throws {
        switch bug {
        case .swallowsCancellation:
            _ = try? await handle.clock.sleep(for: .seconds(1))
        case .hangsWhenCancelled:
            do { try await handle.checkpoint() } catch { await forever() }
            do { try await handle.clock.sleep(for: .seconds(1)) } catch { await forever() }
        case .neverComesToACheckpoint:
            try await handle.clock.sleep(for: .seconds(1))
        case .goesOnWhilePaused:
            let other = Task {
                for count in number... {
                    handle.update(completed: count)
                    try await handle.clock.sleep(for: .seconds(1))
                }
            }
            defer { other.cancel() }
            try await handle.clock.sleep(for: .seconds(1))
            try await handle.checkpoint()
        default:
            try await handle.checkpoint()
            try await handle.clock.sleep(for: .seconds(1))
        }
        if bug != .endsShort || number < 3 { handle.update(completed: number) }
    }

    private func resumed(_ handle: OperationHandle) -> [Int64] {
        String(decoding: handle.resumeState ?? [], as: UTF8.self).split { !$0.isNumber }.compactMap { Int64($0) }
    }

    private func forever() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            // Nobody resumes it, which is the bug; it is kept, so that nobody complains of a lost one.
            Self.stuck.withLock { $0.append(continuation) }
        }
    }

    private static let stuck = Mutex<[CheckedContinuation<Void, Never>]>([])

    private var failure: any Error {
        switch bug {
        case .throwsWithoutCode: Plain()
        case .throwsWithoutReason: OperationFailure(.notFound, "")
        case .tellsItsSecretInAFailure: OperationFailure(.unauthorized, "The key \(Self.secret) is refused.")
        default: OperationFailure(.invalidRequest, "There are no fewer than 0 steps: ask for more.")
        }
    }
}
