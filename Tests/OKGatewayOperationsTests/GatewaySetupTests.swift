import Foundation
import OllamaStandIn
import OperationTracking
import OperationTrackingTesting
import Synchronization
import TestSockets
import TestSupport
import Testing

@testable import OKGatewayOperations

/// Set-ups against a server that speaks Ollama's protocol.
struct GatewaySetupTests {
    private let setups = Setups()
    private let small = GatewayModel(
        "small2",
        from: ["small", "small2"],
        profiles: ["core"],
        approximateBytes: 1_000_000
    )
    private let dev = GatewayModel("dev", profiles: ["dev"])

    private func standIn(_ bytes: Int = 1_000_000, link: LinkSchedule = .steady(100_000_000), faults: [Fault] = [])
        throws -> OllamaStandIn
    {
        try OllamaStandIn(models: [
            ScriptedModel(name: "small", bytes: bytes, link: link, registryLatency: .zero, faults: faults),
            ScriptedModel(name: "dev", bytes: 1_000_000, link: .steady(100_000_000), registryLatency: .zero),
        ])
    }

    @Test func aSetUpPullsTheModelsAndMergesThem() async throws {
        let (ollama, place) = (try standIn(), try Place())
        let running = try await setups.start(place.settings(ollama.url, [small, dev]))
        let output = try await running.output
        #expect(
            output.steps.map(\.name) == [
                "install_vibe", "find_ollama", "start_ollama", "pull small2", "pull dev", "merge_modes",
            ]
        )
        #expect(output.steps.map(\.status) == [.skipped, .skipped, .skipped, .done, .done, .done])
        #expect(output.warnings == [] && output.models == ["small", "dev"])
        let modes = try place.modes
        #expect(
            modes.contains(#""name": "small""#) && modes.contains(#""core": "small""#)
                && modes.contains(#""dev": "dev""#)
        )
        let parts = try await setups.parts(of: running.id)
        #expect(parts.map(\.type.rawValue) == ["pull_model", "pull_model", "merge_modes"])
        #expect(parts.allSatisfy { $0.status == .completed })
        #expect(setups.tracker.operation(running.id)?.progress.completedUnits == OperationUnit.wholeFraction)
    }

    @Test func anAliasFallsBackAndEachNameIsAChildThatEndsTruthfully() async throws {
        let (ollama, place) = (try standIn(), try Place())
        let model = GatewayModel("thing", from: ["nobody", "small"])
        let running = try await setups.start(place.settings(ollama.url, [model]))
        let output = try await running.output
        #expect(output.step("pull thing")?.status == .done && output.models == ["small"])
        let parts = try await setups.parts(of: running.id)
        #expect(parts.map(\.status) == [.failed, .completed, .completed])
    }

    @Test func aModelThatCanNotBePulledIsAWarningAndAvailableForNothing() async throws {
        let (ollama, place) = (try standIn(), try Place())
        let output = try await setups.start(place.settings(ollama.url, [small, GatewayModel("nobody")])).output
        #expect(output.step("pull nobody")?.status == .warning)
        #expect(output.warnings.count == 1 && output.warnings[0].contains("no such model"))
        #expect(try place.modes.contains("\"name\": \"nobody\",\n          \"availability\": []"))
    }

    @Test func aModelThatIsThereIsNotPulledAgain() async throws {
        let (ollama, place) = (try standIn(), try Place())
        _ = try await setups.start(place.settings(ollama.url, [small])).output
        let output = try await setups.start(place.settings(ollama.url, [small])).output
        #expect(output.step("pull small2")?.status == .skipped)
        #expect(output.step("merge_modes")?.status == .skipped)
        #expect(ollama.requestsSeen.filter { $0 == "POST /api/pull" }.count == 1)
    }

    @Test func aDiskThatIsTooFullIsNotPulledTo() async throws {
        let (ollama, place) = (try standIn(), try Place())
        var settings = try place.settings(ollama.url, [small, dev])
        settings.freeBytes = { _ in 999_999 }
        let output = try await setups.start(settings).output
        #expect(output.step("pull small2")?.status == .warning)
        #expect(output.warnings.first?.contains("free some") == true)
        #expect(output.models == ["dev"])
        #expect(ollama.requestsSeen.filter { $0 == "POST /api/pull" }.count == 1)
    }

    @Test func anInvalidFileOfModesIsKept() async throws {
        let (ollama, place) = (try standIn(), try Place())
        try FileManager.default.createDirectory(atPath: place.path + "/config", withIntermediateDirectories: true)
        try Data("{not json".utf8).write(to: URL(fileURLWithPath: place.modesFile))
        let output = try await setups.start(place.settings(ollama.url, [dev])).output
        let kept = try #require(place.configNames.first { $0.hasPrefix("ok_modes.invalid-") })
        #expect(place.configNames.count == 2)
        #expect(try String(contentsOfFile: place.path + "/config/" + kept, encoding: .utf8) == "{not json")
        #expect(output.step("keep_invalid_modes")?.status == .warning)
        #expect(try place.modes.contains(#""name": "dev""#))
    }

    @Test func aFileOfModesThatCanNotBeWrittenFailsTheSetUp() async throws {
        let (ollama, place) = (try standIn(), try Place())
        try Data().write(to: URL(fileURLWithPath: place.path + "/config"))
        let running = try await setups.start(place.settings(ollama.url, [dev]))
        let failure = await #expect(throws: OperationFailure.self) { try await running.output }
        #expect(failure?.code == .modesFileError)
    }

    @Test func cancelledInTheMiddleOfAPullBothEndCancelled() async throws {
        let (ollama, place) = (try standIn(faults: [Fault(.hang(afterBytes: 500_000))]), try Place())
        let running = try await setups.start(place.settings(ollama.url, [small]))
        try await eventually { ollama.pullsInFlight == 1 }
        try await setups.tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
        let parts = try await setups.parts(of: running.id)
        #expect(parts.map(\.status) == [.cancelled])
        #expect(setups.tracker.operation(running.id)?.status == .cancelled)
        try await eventually { ollama.pullsInFlight == 0 }
        #expect(place.configNames == [])
    }

    @Test func pausedInTheMiddleOfAPullItLetsGoOfTheServerAndGoesOn() async throws {
        let (ollama, place) = (try standIn(faults: [Fault(.hang(afterBytes: 500_000), times: 1)]), try Place())
        let running = try await setups.start(place.settings(ollama.url, [small]))
        try await eventually { ollama.pullsInFlight == 1 }
        try await setups.tracker.pause(running.id)
        try await eventually { setups.tracker.operation(running.id)?.status == .paused }
        try await eventually { ollama.pullsInFlight == 0 }
        #expect(setups.tracker.activeOperations.map(\.status) == [.paused, .paused])
        try await setups.tracker.resume(running.id)
        #expect(try await running.output.models == ["small"])
        #expect(try await setups.parts(of: running.id).map(\.status) == [.completed, .completed])
    }

    /// Places where the set-up looks besides the PATH.
    private static let hasOllama = ["/usr/local/bin/ollama", "/usr/bin/ollama"].contains {
        FileManager.default.fileExists(atPath: $0)
    }

    @Test(.enabled(if: !hasOllama, "LEFT OUT: Ollama is installed here, so what is said without it can't be seen"))
    func withoutOllamaItSaysHowToGetIt() async throws {
        let place = try Place()
        var settings = try place.settings("127.0.0.1:1", [dev])
        settings.environment["PATH"] = place.path + "/bin"
        let output = try await setups.start(settings).output
        #expect(output.step("find_ollama")?.status == .warning)
        #expect(output.warnings.first?.contains("https://ollama.com/download") == true)
        #expect(try place.modes.contains("\"availability\": []"))
        #expect(output.models == [])
    }

    @Test func aServerThatDiesReportsItsLastLines() async throws {
        let place = try Place()
        try place.program("ollama", "echo old >&2; echo 'Error: no GPU for you'; exit 3")
        let running = try await setups.start(place.settings("127.0.0.1:1", [dev]))
        let failure = try #require(await #expect(throws: OperationFailure.self) { try await running.output })
        #expect(failure.code == .serverStartFailed)
        #expect(failure.message.contains("exit code 3") && failure.message.contains("Error: no GPU for you"))
        #expect(try await setups.parts(of: running.id).map(\.status) == [.failed])
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aPipeInTheLogsPlaceIsNotWaitedFor() async throws {
        let place = try Place()
        try place.program("ollama", "exit 3")
        try #require(mkfifo(place.path + "/ollama.log", 0o600) == 0)
        let running = try await setups.start(place.settings("127.0.0.1:1", [dev]))
        let failure = try #require(await #expect(throws: OperationFailure.self) { try await running.output })
        #expect(failure.code == .serverStartFailed && failure.message.contains("remove it if it is no file"))
    }

    @Test func aServerThatNeverAnswersIsEndedAgain() async throws {
        let place = try Place()
        try place.program("ollama", "echo $$; exec sleep 1000")
        let clock = ManualClock()
        let setups = Setups(clock: clock)
        let running = try await setups.start(place.settings("127.0.0.1:1", [dev]))
        let pid: Int32 = try await eventually("it has said its line") {
            let log = try? String(contentsOfFile: place.path + "/ollama.log", encoding: .utf8)
            return log?.hasSuffix("\n") == true ? log?.split(separator: "\n").first.flatMap { Int32($0) } : nil
        }
        while setups.tracker.summary.totalActive > 0 { await clock.advance(by: .seconds(1)) }
        let failure = try #require(await #expect(throws: OperationFailure.self) { try await running.output })
        #expect(failure.code == .timeout)
        try await eventually { !SystemProcess.isAlive(pid) }
    }

    @Test func ollamaIsStartedAndOutlivesTheSetUp() async throws {
        let place = try Place()
        let port = try TestServer.unusedPort()
        let server = Self.products.appendingPathComponent("ollama-stand-in").path
        try place.program("ollama", "[ \"$1\" = serve ] && exec '\(server)' --port ${OLLAMA_HOST##*:} --model small=1")
        let running = try await setups.start(place.settings("127.0.0.1:\(port)", [small]))
        let output = try await running.output
        let step = try #require(output.step("start_ollama"))
        let pid = try #require(Int32(step.detail.split { !$0.isNumber }.first ?? ""))
        defer { kill(pid, SIGTERM) }
        #expect(step.status == .done && output.models == ["small"])
        #expect(kill(pid, 0) == 0 && getsid(pid) == pid)
        #expect(
            try await setups.parts(of: running.id).map(\.type.rawValue) == [
                "start_ollama", "pull_model", "merge_modes",
            ]
        )
    }

    @Test func setUpsWithOtherSettingsAreOtherOperations() async throws {
        let (ollama, place) = (try standIn(), try Place())
        let settings = try place.settings(ollama.url, [small])
        var other = settings
        other.modesFile = place.path + "/config/other.json"
        // None ends before all have been asked for.
        let mayBegin = TestValue<Void>()
        let start = { (settings: GatewaySettings) in
            var steps = GatewaySetupSteps(settings)
            let usual = steps.installVibe
            steps.installVibe = { stage in
                await mayBegin.value()
                return try await usual(stage)
            }
            return try await setups.start(settings, steps: steps)
        }
        let running = [try await start(settings), try await start(other), try await start(settings)]
        #expect(running.map(\.hasJoined) == [false, false, true])
        mayBegin.set()
        for setup in running { _ = try await setup.output }
        #expect(place.configNames.contains("ok_modes.json") && place.configNames.contains("other.json"))
    }

    @Test func setUpsThatMergeAtTheSameTimeLoseNothing() async throws {
        let (ollama, place) = (try standIn(1000), try Place())
        let merge = MergeModes(file: place.modesFile, ollama: try place.settings(ollama.url).ollama)
        let tracker = setups.tracker
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await tracker.withOperation(type: .okSetup, description: "x", unit: .fraction) { handle in
                        let stage = SetupStage(handle: handle, band: 0..<1)
                        _ = try await merge.run(stage, [PulledModel(GatewayModel("m\(number)"), pulled: "m\(number)")])
                    }
                }
            }
            try await group.waitForAll()
        }
        let modes = try #require(GatewayModes(Array(try place.modes.utf8)))
        #expect(modes.document["modes"]?["ofvibe"]?["models"]?.elements?.count == 20)
        #expect(place.configNames == ["ok_modes.json"])
    }

    @Test func aMergeLeavesTheFilesRightsAndRemovesWhatWasHalfWritten() async throws {
        let (ollama, place) = (try standIn(), try Place())
        let folder = place.path + "/config"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["ok_modes.json", ".ok_modes.json.12-x.part", ".other.json.12-x.part"] {
            try Data("{}".utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
        }
        #expect(chmod(place.modesFile, 0o666) == 0)
        _ = try await setups.start(place.settings(ollama.url, [dev])).output
        #expect(place.configNames == [".other.json.12-x.part", "ok_modes.json"])
        var status = stat()
        #expect(stat(place.modesFile, &status) == 0 && status.st_mode & 0o777 == 0o666)
    }

    @Test func whatIsNoFileOfModesIsNotWaitedForNorReplaced() async throws {
        let (ollama, place) = (try standIn(), try Place())
        try FileManager.default.createDirectory(atPath: place.path + "/config", withIntermediateDirectories: true)
        #expect(mkfifo(place.modesFile, 0o600) == 0)
        let running = try await setups.start(place.settings(ollama.url, [dev]))
        let failure = await #expect(throws: OperationFailure.self) { try await running.output }
        #expect(failure?.code == .modesFileError)
    }

    @Test func aFileOfModesThatNobodyMayWriteStays() async throws {
        let (ollama, place) = (try standIn(), try Place())
        try FileManager.default.createDirectory(atPath: place.path + "/config", withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: place.modesFile))
        #expect(chmod(place.modesFile, 0o444) == 0)
        let running = try await setups.start(place.settings(ollama.url, [dev]))
        let failure = await #expect(throws: OperationFailure.self) { try await running.output }
        #expect(failure?.code == .modesFileError)
        #expect(try place.modes == "{}")
    }

    @Test func aLinkToModesThatAreNotThereYetStaysALink() async throws {
        let (ollama, place) = (try standIn(), try Place())
        try FileManager.default.createDirectory(atPath: place.path + "/config", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: place.modesFile, withDestinationPath: "../real.json")
        _ = try await setups.start(place.settings(ollama.url, [dev])).output
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place.modesFile) == "../real.json")
        #expect(FileManager.default.fileExists(atPath: place.path + "/real.json"))
    }

    @Test func anOptionIsNoPackageAndACommandThatIsNotThereIsSaidSo() async throws {
        let (ollama, place) = (try standIn(), try Place())
        try place.program("python3", "exit 0")
        var settings = try place.settings(ollama.url, [dev])
        settings.command = "no-such-command"
        let output = try await setups.start(settings).output
        #expect(output.step("install_vibe")?.status == .warning)
        settings.package = "--help"
        let running = try await setups.start(settings)
        let failure = await #expect(throws: OperationFailure.self) { try await running.output }
        #expect(failure?.code == .invalidRequest)
    }

    @Test func aServerThatIsAwayTakesNothingFromTheModes() async throws {
        let (ollama, place) = (try standIn(), try Place())
        _ = try await setups.start(place.settings(ollama.url, [dev])).output
        let chosen = try place.modes.replacing("\"availability\": [", with: "\"availability\": [ \"mine\",")
        try Data(chosen.utf8).write(to: URL(fileURLWithPath: place.modesFile))
        ollama.stop()
        let output = try await setups.start(place.settings(ollama.url, [dev])).output
        #expect(output.step("pull dev")?.status == .warning)
        #expect(try place.modes.contains("\"mine\""))
    }

    @Test func requestsThatMakeNoSenseAreRefused() async throws {
        let place = try Place()
        for models in [
            ["a b"], [""], ["a", "a"], ["\u{1B}[31m"], [String(repeating: "x", count: 201)], (0..<51).map { "m\($0)" },
        ] {
            let error = await #expect(throws: OperationError.self) {
                try await setups.start(place.settings("127.0.0.1:1"), models: models)
            }
            #expect(error?.code == .invalidValue)
        }
    }

    private static var products: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }
}
