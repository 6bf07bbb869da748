import OperationTracking
import OperationTrackingTesting
import ProcessOperations
import TestSupport
import Testing

/// Load made by real processes and measured for real.
struct RealLoadTests {
    @Test(.timeLimit(.minutes(Patience.minutes)))
    func workWaitsWhileAProcessBurnsTheCPUAndBeginsWhenItStops() async throws {
        var trackerConfiguration = OperationTracker.Configuration()
        trackerConfiguration.sampleInterval = .milliseconds(200)
        trackerConfiguration.tickInterval = .milliseconds(50)
        let tracker = OperationTracker(configuration: trackerConfiguration)
        // Only what the operations' own processes use counts, since anything may run beside a test.
        var policy = OverloadPolicy()
        policy.cpuPercent = 5
        policy.hostCPUPercent = nil
        policy.minimumAvailableMemoryBytes = nil
        policy.memoryPressurePercent = nil
        // So long the overload stands, however little of a busy machine the process gets meanwhile.
        policy.settleTime = .seconds(3)
        tracker.overloadPolicy = policy
        var configuration = OperationRunner.Configuration()
        configuration.admission = AdmissionPolicy(whenOverloaded: .wait)
        let runner = OperationRunner(tracker: tracker, configuration: configuration)

        let events = tracker.events()
        let burner = try await runner.submit(
            .init(command: ["sh", "-c", "while :; do :; done"], progress: .none),
            to: ProcessProvider()
        )
        for await event in events {
            if case .overloadChanged(let assessment) = event.kind, assessment.isOverloaded { break }
        }
        // Not in each of the short times that are measured does a busy machine let it run.
        try await eventually { tracker.operation(burner.id)?.resources.cpuPercent ?? 0 > 0 }
        let scripted = ScriptedProvider()
        let waiting = try await runner.submit(.init("calm"), to: scripted)
        #expect(tracker.operation(waiting.id)?.status == .pending)
        #expect(tracker.operation(waiting.id)?.message?.contains("CPU") == true)

        try await tracker.cancel(burner.id)
        scripted.finish("calm")
        #expect(try await waiting.output == "calm")
        #expect(tracker.operation(burner.id)?.status == .cancelled)
        #expect(!tracker.latestAssessment.isOverloaded)
        await tracker.close()
    }
}
