import Foundation
import OperationTracking
import ProcessOperations
import Testing

struct ProcessProviderTests {
    private let runs = Runs()

    @Test func successGivesTheOutputAndItsProgress() async throws {
        let running = try await runs.start("printf '10%%\\r50%%\\r'; echo err >&2; echo last", progress: .percent)
        let output = try await running.output
        #expect(output.exitCode == 0)
        #expect(output.outputTail == "err\nlast\n")
        #expect(output.outputBytes == 17)
        let operation = try #require(runs.tracker.operation(running.id))
        #expect(operation.status == .completed)
        #expect(operation.progress.completedUnits == OperationUnit.wholeFraction / 2)
        #expect(operation.pid == nil)
        #expect(operation.message == "last")
    }

    @Test func estimatesDependOnTheProgram() {
        func feature(_ command: [String]) -> String { ProcessProvider().estimateFeature(of: .init(command: command)) }
        #expect(feature(["/usr/bin/make", "--password=secret"]) == "make")
        #expect(feature(["make"]) == "make" && feature([]) == "")
    }

    @Test func progressIsSeenWhileTheCommandRuns() async throws {
        let running = try await runs.start("echo '[1/4] one'; exec sleep 1000", progress: .automatic)
        let operation = try await runs.operation(running.id) { $0.progress.completedUnits > 0 }
        #expect(operation.progress.percent == 25)
        #expect(operation.message == "[1/4] one")
        try await runs.tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
    }

    @Test func withoutProgressTheTotalIsUnknown() async throws {
        let running = try await runs.start(["true"])
        _ = try await running.output
        #expect(runs.tracker.operation(running.id)?.progress.totalUnits == nil)
    }

    @Test func anExitCodeIsAFailureWithTheLastLines() async throws {
        let failure = try await runs.failure(of: [
            "sh", "-c", "seq 100; printf '\\033[31mno luck\\033[0m\\n' >&2; exit 7",
        ])
        #expect(failure.code == .exitNonzero)
        #expect(failure.message.contains("exit code 7"))
        #expect(failure.message.contains("| 100 | no luck"))
        #expect(!failure.message.contains("90 |") && failure.message.contains("| 93 |"))
        #expect(!failure.message.contains("\u{1B}"))
    }

    @Test func aFailureIsBoundedAndPrintable() async throws {
        let failure = try await runs.failure(of: ["sh", "-c", "head -c 100000 /dev/zero; echo why; exit 1"])
        #expect(failure.message.count <= 1000)
        #expect(failure.message.hasSuffix("why"))
        #expect(!failure.message.utf8.contains(0))
    }

    @Test func aSignalIsAFailureWithItsName() async throws {
        let failure = try await runs.failure(of: ["sh", "-c", "kill -SEGV $$"])
        #expect(failure.code == .signalled)
        #expect(failure.message.contains("SIGSEGV"))
    }

    @Test(arguments: ["no-such-program-here", "/no/such/program", "./no-such-program"])
    func aProgramThatIsNotThereIsNotFound(_ program: String) async throws {
        let failure = try await runs.failure(of: [program])
        #expect(failure.code == .notFound)
        #expect(failure.message.contains(program))
    }

    @Test(arguments: ["/etc/passwd", "/etc"])
    func whatIsNoProgramMayNotBeExecuted(_ program: String) async throws {
        #expect(try await runs.failure(of: [program]).code == .permissionDenied)
    }

    @Test(arguments: ["/no/such/folder", "/etc/passwd"])
    func aDirectoryThatIsNotThereIsNotFound(_ directory: String) async throws {
        let failure = try await runs.failure(of: ["true"], directory: directory)
        #expect(failure.code == .notFound)
        #expect(failure.message.contains("directory '\(directory)'"))
    }

    @Test func scriptsThatCanNotBeStartedSayWhatTheyNeed() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in [("plain", "echo hello\n"), ("lost", "#!/no/such/interpreter\n")] {
            let file = folder.appendingPathComponent(name).path
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        }
        let plain = try await runs.failure(of: ["./plain"], directory: folder.path)
        #expect(plain.code == .invalidRequest)
        #expect(plain.message.contains("#!/bin/sh"))
        let lost = try await runs.failure(of: ["./lost"], directory: folder.path)
        #expect(lost.code == .notFound)
        #expect(lost.message.contains("interpreter"))
    }

    @Test(arguments: [[], [""], ["true", "a\0b"]])
    func aCommandThatCanNotBePassedOnIsRefused(_ command: [String]) async throws {
        let error = await #expect(throws: OperationError.self) { try await runs.start(command) }
        #expect(error?.code == .invalidValue)
    }

    @Test(arguments: ["", "A=", "A=B"])
    func anEnvironmentThatCanNotBePassedOnIsRefused(_ name: String) async throws {
        let error = await #expect(throws: OperationError.self) {
            try await runs.start(["true"], environment: [name: "x"])
        }
        #expect(error?.code == .invalidValue)
    }

    @Test func argumentsArriveAsTheyAre() async throws {
        let words = ["two words", "a\nb", "", "'\"$HOME*", "ü"]
        let output = try await runs.start(["printf", "<%s>"] + words).output
        #expect(output.outputTail == words.map { "<\($0)>" }.joined())
    }

    @Test func directoryAndEnvironmentAreTheRequests() async throws {
        let running = try await runs.start(
            ["sh", "-c", "pwd; echo \"$GREETING $PATH\""],
            directory: "/usr",
            environment: ["GREETING": "good day", "PATH": "/bin:/usr/bin"]
        )
        #expect(try await running.output.outputTail == "/usr\ngood day /bin:/usr/bin\n")
    }

    @Test func aProgramIsLookedForInTheCommandsOwnPath() async throws {
        let running = try await runs.start(["true"], environment: ["PATH": "/no/such/folder"])
        let failure = await #expect(throws: OperationFailure.self) { try await running.output }
        #expect(failure?.code == .notFound)
    }

    @Test func standardInputIsEmptyAndNoSignalIsBlockedOrIgnored() async throws {
        signal(SIGPIPE, SIG_IGN)
        let output = try await runs.start("cat; grep -E '^Sig(Blk|Ign)' /proc/self/status; echo end").output
        let lines = output.outputTail.split(separator: "\n")
        #expect(lines.count == 3)
        for line in lines.dropLast() {
            let signals = try #require(UInt64(line.dropFirst(8), radix: 16))
            // The C library keeps 32 and 33 for itself: nobody may change what was inherited.
            #expect(signals & ~(3 << 31) == 0, "\(line)")
        }
    }

    @Test func noOtherDescriptorIsPassedOn() async throws {
        let left = open("/dev/null", O_RDONLY)
        defer { close(left) }
        let output = try await runs.start("ls /proc/$$/fd").output
        #expect(output.outputTail.split(separator: "\n").compactMap { Int($0) }.filter { $0 < 10 } == [0, 1, 2])
    }

    @Test func aCommandHasNoTerminalToAskAt() async throws {
        #expect(try await runs.failure(of: ["sh", "-c", "echo asked > /dev/tty"]).code == .exitNonzero)
    }

    @Test func theDescriptionIsTheCommandOrItsName() {
        let provider = ProcessProvider()
        #expect(provider.description(of: .init(command: ["echo", "a b", "it's"])) == "echo 'a b' 'it'\\''s'")
        #expect(provider.description(of: .init(command: ["x"], name: "Install\u{7} it")) == "Install\u{FFFD} it")
        #expect(provider.description(of: .init(command: [String(repeating: "x", count: 5000)])).count == 200)
    }

    @Test func requestsSurviveTheirJSON() throws {
        let request = ProcessProvider.Request(
            command: ["a", "b"],
            name: "n",
            directory: "/",
            environment: ["K": "v"],
            progress: .bytes
        )
        let again = try JSONDecoder().decode(ProcessProvider.Request.self, from: JSONEncoder().encode(request))
        #expect(again == request)
    }

    @Test func aRequestNeedsNoMoreThanACommand() throws {
        let request = try JSONDecoder().decode(ProcessProvider.Request.self, from: Data(#"{"command": ["true"]}"#.utf8))
        #expect(request == ProcessProvider.Request(command: ["true"]))
    }
}
