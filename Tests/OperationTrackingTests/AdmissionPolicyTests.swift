import Testing

@testable import OperationTracking

struct AdmissionPolicyTests {
    private var host: HostResources {
        var host = HostResources()
        host.availableCores = 4
        host.memoryTotalBytes = 16 << 30
        host.memoryAvailableBytes = 8 << 30
        host.diskTotalBytes = 100 << 30
        host.diskAvailableBytes = 50 << 30
        return host
    }

    private let overloaded: OverloadAssessment = {
        var assessment = OverloadAssessment()
        assessment.reasons = [OverloadReason(code: .operationsCPU, message: "The CPU is 93 %.")]
        return assessment
    }()

    private func decision(
        _ demand: ResourceDemand,
        _ response: AdmissionPolicy.Response = .wait,
        under assessment: OverloadAssessment = OverloadAssessment(),
        host: HostResources? = nil,
        running: ResourceDemand = .unknown
    ) -> AdmissionDecision {
        AdmissionPolicy(whenOverloaded: response)
            .admission(of: demand, under: assessment, host: host ?? self.host, runningDemand: running)
    }

    @Test(arguments: AdmissionPolicy.Response.allCases)
    func whatFitsAnIdleMachineStarts(response: AdmissionPolicy.Response) {
        #expect(decision(.unknown, response) == .start(warning: nil))
        let demand = ResourceDemand(memoryBytes: 8 << 30, diskBytes: 50 << 30, cpuPercent: 400)
        #expect(decision(demand, response) == .start(warning: nil))
    }

    @Test func anOverloadIsAnsweredAsThePolicySays() {
        let reason = "System overload: The CPU is 93 %."
        #expect(AdmissionPolicy().whenOverloaded == .warn)
        #expect(decision(.unknown, .warn, under: overloaded) == .start(warning: reason))
        #expect(decision(.unknown, .wait, under: overloaded) == .wait(reason: reason))
        #expect(decision(.unknown, .refuse, under: overloaded) == .refuse(reason: reason))
    }

    @Test func whatDoesNotFitNowIsAnsweredAsThePolicySays() {
        let demand = ResourceDemand(memoryBytes: 9 << 30)
        let reason =
            "It needs 9216 MB of memory, and 8192 MB are left: free some, or wait until an operation has ended."
        #expect(decision(demand, .warn) == .start(warning: reason))
        #expect(decision(demand, .wait) == .wait(reason: reason))
        #expect(decision(demand, .refuse) == .refuse(reason: reason))
    }

    @Test func whatIsPromisedIsNotGivenAwayTwice() {
        let demand = ResourceDemand(diskBytes: 30 << 30)
        #expect(decision(demand, running: ResourceDemand(diskBytes: 20 << 30)) == .start(warning: nil))
        let reason =
            "It needs 30 GB of disk space, and 50 GB are left, of which 21 GB are promised to other operations: "
            + "free some, or wait until an operation has ended."
        #expect(decision(demand, running: ResourceDemand(diskBytes: 21 << 30)) == .wait(reason: reason))
    }

    @Test func aNegativePromiseMakesNoRoom() {
        let demand = ResourceDemand(diskBytes: 51 << 30)
        guard case .wait = decision(demand, running: ResourceDemand(diskBytes: -20 << 30)) else {
            Issue.record("it started")
            return
        }
    }

    @Test func promisesAddUpToAllThereCanBeAndNoFurther() {
        let most = ResourceDemand(memoryBytes: .max, diskBytes: .max)
        #expect(most + most == most)
        let least = ResourceDemand(memoryBytes: .min, diskBytes: .min)
        #expect(least + least == ResourceDemand(memoryBytes: 0, diskBytes: 0))
        #expect(most + .unknown == most)
    }

    @Test func allThatIsWrongIsSaidAtOnce() {
        let demand = ResourceDemand(memoryBytes: 9 << 30, diskBytes: 51 << 30)
        guard case .wait(let reason) = decision(demand, under: overloaded) else {
            Issue.record("it started")
            return
        }
        #expect(reason.contains("93 %"))
        #expect(reason.contains("9216 MB of memory"))
        #expect(reason.contains("51 GB of disk space"))
    }

    @Test(arguments: AdmissionPolicy.Response.allCases)
    func whatIsMoreThanThereIsInAllNeverFits(response: AdmissionPolicy.Response) {
        let ending = "that there are in all: choose smaller work or another machine."
        #expect(
            decision(ResourceDemand(memoryBytes: 17 << 30), response)
                == .neverFits(reason: "It needs 17 GB of memory, more than the 16 GB \(ending)")
        )
        #expect(
            decision(ResourceDemand(diskBytes: 101 << 30), response)
                == .neverFits(reason: "It needs 101 GB of disk space, more than the 100 GB \(ending)")
        )
        #expect(
            decision(ResourceDemand(cpuPercent: 500), response)
                == .neverFits(reason: "It needs 500 % of CPU, more than the 400 % \(ending)")
        )
    }

    @Test func aContainersLimitIsAllThereIs() {
        var host = host
        host.container = ContainerLimits(memoryLimitBytes: 2 << 30, memoryAvailableBytes: 1 << 30)
        guard case .neverFits = decision(ResourceDemand(memoryBytes: 3 << 30), host: host) else {
            Issue.record("it was to fit")
            return
        }
        guard case .wait = decision(ResourceDemand(memoryBytes: 3 << 29), host: host) else {
            Issue.record("it was to wait")
            return
        }
    }

    @Test func whatIsNotKnownOfTheMachineIsNotHeldAgainstTheWork() {
        let demand = ResourceDemand(memoryBytes: 1 << 40, diskBytes: 1 << 50)
        #expect(decision(demand, host: HostResources()) == .start(warning: nil))
    }

    @Test func whatNeedsNothingFitsAFullDisk() {
        var host = host
        host.diskAvailableBytes = 0
        let running = ResourceDemand(diskBytes: 5)
        #expect(decision(ResourceDemand(diskBytes: 0), host: host, running: running) == .start(warning: nil))
    }

    @Test(
        arguments: [
            (0, "0 MB"), (1 << 19, "0.5 MB"), (4000 << 20, "4000 MB"), (10 << 30, "10 GB"), (15 << 29, "7680 MB"),
            (20 << 40, "20 TB"), (-1 << 20, "-1 MB"), (.max, "8388608 TB"),
        ] as [(Int64, String)]
    )
    func bytesAreSaidInTheUnitThatFits(bytes: Int64, text: String) {
        #expect(Figures.bytes(bytes) == text)
    }

    @Test(arguments: [
        (0.0, "0 %"), (7.54, "7.5 %"), (8, "8 %"), (9.96, "10 %"), (93.4, "93 %"), (.infinity, "inf %"),
        (-3.5, "-3.5 %"),
    ])
    func percentHaveADecimalWhereItMatters(value: Double, text: String) {
        #expect(Figures.percent(value) == text)
    }
}
