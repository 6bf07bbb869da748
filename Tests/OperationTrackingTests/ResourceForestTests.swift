import OperationTrackingTesting
import Testing

@testable import OperationTracking

/// Processes that a test makes up. Times are nanoseconds, and start times count the looks.
private final class ScriptedTable: ProcessTable {
    var processes: [Int32: ProcessReading] = [:]
    /// Processes that lists of children leave out.
    var unlisted: Set<Int32> = []
    /// What happens right after a process has been read.
    var afterRead: (pid: Int32, act: (ScriptedTable) -> Void)?
    var now: UInt64 = 100
    private(set) var forgotten: [Int32] = []

    func beginPass() {}
    func startTimeNow() -> UInt64 { now }
    func forget(_ pid: Int32) { forgotten.append(pid) }

    func read(_ pid: Int32) -> ProcessReading? {
        let reading = processes[pid]
        if let afterRead, afterRead.pid == pid {
            self.afterRead = nil
            afterRead.act(self)
        }
        return reading
    }

    func appendChildren(of pid: Int32, to list: inout [Int32]) {
        list += processes.filter { $0.value.parent == pid && !unlisted.contains($0.key) }.map(\.key).sorted()
    }

    func add(_ pid: Int32, parent: Int32 = 1, start: UInt64 = 10, cpu: UInt64 = 0, ended: UInt64 = 0, memory: Int64 = 1)
    {
        processes[pid] = ProcessReading(
            parent: parent,
            startTime: start,
            ownCPU: cpu,
            endedChildrenCPU: ended,
            residentBytes: memory
        )
    }

    /// A child ends and its parent waits for it, as the kernel does it.
    func endAndWait(_ pid: Int32, after cpu: UInt64) {
        guard let child = processes.removeValue(forKey: pid) else { return }
        processes[child.parent]?.endedChildrenCPU += child.ownCPU + child.endedChildrenCPU + cpu
    }
}

struct ResourceForestTests {
    private let table = ScriptedTable()
    private let root = ProcessIdentity(pid: 10, startTime: 10)

    /// Looks twice, with `change` in between.
    private func usage(of pids: [ProcessIdentity], change: (ScriptedTable) -> Void) -> (
        trees: [Int32: ProcessUsage], total: ProcessUsage
    ) {
        var forest = ProcessForest(table)
        forest.look(at: pids)
        table.now += 100
        change(table)
        forest.look(at: pids)
        return (Dictionary(uniqueKeysWithValues: forest.trees.map { ($0.identity.pid, $0.whole) }), forest.total)
    }

    @Test func aTreeIsItsRootAndAllBelowAndNothingElse() {
        table.add(10, cpu: 100, memory: 1)
        table.add(11, parent: 10, cpu: 100, memory: 2)
        table.add(12, parent: 11, cpu: 100, memory: 4)
        table.add(20, cpu: 100, memory: 8)
        let found = usage(of: [root]) { table in
            for pid in [10, 11, 12, 20] as [Int32] { table.processes[pid]?.ownCPU += 5 }
        }
        #expect(found.trees == [10: ProcessUsage(cpu: 15, residentBytes: 7)])
    }

    @Test func theFirstLookHasMemoryAndNoCPU() {
        table.add(10, cpu: 100, memory: 3)
        var forest = ProcessForest(table)
        forest.look(at: [root])
        #expect(forest.trees.map(\.whole) == [ProcessUsage(cpu: nil, residentBytes: 3)])
        #expect(forest.total == ProcessUsage(cpu: nil, residentBytes: 3))
    }

    @Test func aReusedPidIsNotTheProcess() {
        table.add(10, start: 99)
        var forest = ProcessForest(table)
        forest.look(at: [root])
        #expect(forest.trees.isEmpty)
    }

    @Test func aRootWhosePidIsReusedIsGone() {
        table.add(10, cpu: 50)
        let found = usage(of: [root]) { $0.add(10, start: 150, cpu: 7) }
        #expect(found.trees.isEmpty)
        #expect(found.total == ProcessUsage())
    }

    @Test func aChildWhosePidIsReusedByAnotherChildCountsAnew() {
        table.add(10)
        table.add(11, parent: 10, cpu: 1000)
        let found = usage(of: [root]) { table in
            table.endAndWait(11, after: 5)
            table.add(11, parent: 10, start: 150, cpu: 3)
        }
        #expect(found.trees[10]?.cpu == 8)
    }

    @Test func aChildWhosePidIsReusedByAStrangerIsNotOfTheTree() {
        table.add(10, memory: 1)
        table.add(11, parent: 10, cpu: 1000, memory: 2)
        let found = usage(of: [root]) { table in
            table.endAndWait(11, after: 5)
            table.add(11, parent: 1, start: 150, cpu: 3, memory: 4)
        }
        #expect(found.trees[10] == ProcessUsage(cpu: 5, residentBytes: 1))
    }

    @Test func whatIsReadAndIsNoProcessOfTheTreeIsForgotten() {
        table.add(10)
        table.add(11, parent: 10)
        table.add(12, parent: 10)
        var forest = ProcessForest(table)
        // It is adopted after it was listed.
        table.afterRead = (12, { $0.processes[11]?.parent = 1 })
        forest.look(at: [root])
        #expect(table.forgotten == [11])
        table.add(10, start: 99)
        forest.look(at: [root])
        #expect(table.forgotten.contains(10))
    }

    @Test func aNewChildCountsWithAllItHasUsed() {
        table.add(10)
        let found = usage(of: [root]) { $0.add(11, parent: 10, start: 150, cpu: 40, ended: 2) }
        #expect(found.trees[10]?.cpu == 42)
    }

    @Test func anAdoptedChildCountsFromNowOn() {
        table.add(10)
        let found = usage(of: [root]) { $0.add(11, parent: 10, start: 50, cpu: 4000) }
        #expect(found.trees[10]?.cpu == 0)
    }

    @Test func whatAChildUsedBetweenTheLastLookAndItsEndIsCountedOnce() {
        table.add(10, ended: 500)
        table.add(11, parent: 10, cpu: 1000, ended: 100)
        let found = usage(of: [root]) { $0.endAndWait(11, after: 30) }
        #expect(found.trees[10]?.cpu == 30)
    }

    @Test func aChildThatCameAndWentBetweenTwoLooksIsCountedInFull() {
        table.add(10)
        let found = usage(of: [root]) { table in
            table.add(11, parent: 10, start: 150)
            table.endAndWait(11, after: 60)
        }
        #expect(found.trees[10]?.cpu == 60)
    }

    @Test func aWholeBranchThatEndedIsCountedOnce() {
        table.add(10)
        table.add(11, parent: 10, cpu: 1000)
        table.add(12, parent: 11, cpu: 2000)
        let found = usage(of: [root]) { table in
            table.endAndWait(12, after: 7)
            table.endAndWait(11, after: 3)
        }
        #expect(found.trees[10]?.cpu == 10)
    }

    @Test func aChildThatNobodyWaitsForTakesNothingFromTheRest() {
        table.add(10)
        table.add(11, parent: 10, cpu: 1000)
        let found = usage(of: [root]) { table in
            table.processes[10]?.ownCPU += 9
            table.processes[11] = nil
        }
        #expect(found.trees[10]?.cpu == 9)
    }

    @Test func aChildThatEndsAfterItsParentWasReadIsNotCountedTwice() {
        table.add(10)
        table.add(11, parent: 10, cpu: 1000)
        var forest = ProcessForest(table)
        forest.look(at: [root])
        table.now += 100
        table.afterRead = (10, { $0.endAndWait(11, after: 30) })
        forest.look(at: [root])
        #expect(forest.trees.first?.whole.cpu == 0)
        table.now += 100
        forest.look(at: [root])
        #expect(forest.trees.first?.whole.cpu == 30)
        table.now += 100
        table.processes[10]?.endedChildrenCPU += 11
        forest.look(at: [root])
        #expect(forest.trees.first?.whole.cpu == 11)
    }

    @Test func aDebtThatIsNeverPaidIsForgotten() {
        table.add(10)
        table.add(11, parent: 10, cpu: 1000)
        var forest = ProcessForest(table)
        forest.look(at: [root])
        table.processes[11] = nil
        for _ in 0..<2 {
            table.now += 100
            forest.look(at: [root])
        }
        table.now += 100
        table.processes[10]?.endedChildrenCPU += 11
        forest.look(at: [root])
        #expect(forest.trees.first?.whole.cpu == 11)
    }

    @Test func aChildThatAListLeavesOutIsStillOfTheTree() {
        table.add(10, memory: 1)
        table.add(11, parent: 10, memory: 2)
        table.add(12, parent: 11, memory: 4)
        let found = usage(of: [root]) { table in
            table.unlisted = [11]
            table.processes[12]?.ownCPU += 6
        }
        #expect(found.trees[10] == ProcessUsage(cpu: 6, residentBytes: 7))
    }

    @Test func aChildThatIsAdoptedBySomeoneElseLeavesTheTree() {
        table.add(10, memory: 1)
        table.add(11, parent: 10, memory: 2)
        table.add(12, parent: 11, cpu: 500, memory: 4)
        let found = usage(of: [root]) { table in
            table.endAndWait(11, after: 2)
            table.processes[12]?.parent = 1
        }
        #expect(found.trees[10] == ProcessUsage(cpu: 2, residentBytes: 1))
    }

    @Test func aListedChildThatVanishesIsNotThere() {
        table.add(10, memory: 1)
        table.add(11, parent: 10, memory: 2)
        table.add(12, parent: 10, memory: 4)
        // The last child is read first.
        table.afterRead = (12, { $0.processes[11] = nil })
        var forest = ProcessForest(table)
        forest.look(at: [root])
        #expect(forest.trees.map(\.whole.residentBytes) == [5])
    }

    @Test func aListedChildThatIsAdoptedMeanwhileIsNotOfTheTree() {
        table.add(10, memory: 1)
        table.add(11, parent: 10, memory: 2)
        table.add(12, parent: 10, memory: 4)
        table.afterRead = (12, { $0.processes[11]?.parent = 1 })
        var forest = ProcessForest(table)
        forest.look(at: [root])
        #expect(forest.trees.map(\.whole.residentBytes) == [5])
    }

    @Test func aNamedChildWhosePidIsReusedHasEndedOnce() {
        table.add(10)
        table.add(11, parent: 10, start: 20, cpu: 1000)
        let found = usage(of: [root, ProcessIdentity(pid: 11, startTime: 20)]) { table in
            table.endAndWait(11, after: 5)
            table.add(11, parent: 1, start: 150, cpu: 3)
        }
        #expect(found.trees == [10: ProcessUsage(cpu: 5, residentBytes: 1)])
    }

    @Test func aTreeWithinATreeCountsOnceInTheTotal() {
        let inner = ProcessIdentity(pid: 11, startTime: 20)
        table.add(10, memory: 1)
        table.add(11, parent: 10, start: 20, memory: 2)
        table.add(12, parent: 11, start: 30, memory: 4)
        let found = usage(of: [inner, root, inner]) { table in
            for pid in [10, 11, 12] as [Int32] { table.processes[pid]?.ownCPU += 5 }
        }
        #expect(
            found.trees == [
                10: ProcessUsage(cpu: 15, residentBytes: 7),
                11: ProcessUsage(cpu: 10, residentBytes: 6),
            ]
        )
        #expect(found.total == ProcessUsage(cpu: 15, residentBytes: 7))
    }

    @Test func aTreeWithinATreeIsFoundInWhateverOrderTheyAreRead() {
        // The inner process has the smaller number and the same start time, so it is read first.
        let inner = ProcessIdentity(pid: 9, startTime: 10)
        table.add(10, memory: 1)
        table.add(9, parent: 10, memory: 2)
        let found = usage(of: [root, inner]) { $0.processes[9]?.ownCPU += 5 }
        #expect(
            found.trees == [
                10: ProcessUsage(cpu: 5, residentBytes: 3),
                9: ProcessUsage(cpu: 5, residentBytes: 2),
            ]
        )
        #expect(found.total == ProcessUsage(cpu: 5, residentBytes: 3))
    }

    @Test func aProcessThatIsNamedLaterHasItsFigureAtOnceWhereItWasKnown() {
        let inner = ProcessIdentity(pid: 11, startTime: 20)
        table.add(10)
        table.add(11, parent: 10, start: 20, cpu: 100)
        var forest = ProcessForest(table)
        forest.look(at: [root])
        table.now += 100
        table.processes[11]?.ownCPU += 5
        forest.look(at: [root, inner])
        #expect(forest.trees.map(\.whole.cpu) == [5, 5])
    }

    @Test func aNewTreeAroundAKnownOneHasNoFigureYet() {
        let inner = ProcessIdentity(pid: 11, startTime: 20)
        table.add(10)
        table.add(11, parent: 10, start: 20)
        var forest = ProcessForest(table)
        forest.look(at: [inner])
        table.now += 100
        table.processes[11]?.ownCPU += 5
        forest.look(at: [root, inner])
        #expect(forest.trees.map(\.whole.cpu) == [nil, 5])
        #expect(forest.total.cpu == 5)
    }

    @Test func countersThatFallCountAsNothing() {
        table.add(10, cpu: 100, ended: 100)
        let found = usage(of: [root]) { $0.add(10, cpu: 90, ended: 90) }
        #expect(found.trees[10]?.cpu == 0)
    }

    @Test func whoIsGoneIsForgotten() {
        table.add(10)
        table.add(11, parent: 10)
        _ = usage(of: [root]) { $0.processes = [:] }
        #expect(table.forgotten.sorted() == [10, 11])
    }

    /// Whatever happens, all that the kernel has counted of a tree comes out, and once.
    @Test(arguments: 0..<50)
    func allTimeIsCountedOnceInARandomHistory(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var forest = ProcessForest(table)
        table.add(10)
        forest.look(at: [root])
        var used: UInt64 = 0
        var counted: UInt64 = 0
        var nextPid: Int32 = 11
        for _ in 0..<60 {
            table.now += 100
            for _ in 0..<Int.random(in: 0..<6, using: &random) {
                let pid = table.processes.keys.sorted().randomElement(using: &random) ?? 10
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    table.add(nextPid, parent: pid, start: table.now)
                    nextPid += 1
                case 1 where pid != 10 && !table.processes.values.contains { $0.parent == pid }:
                    used += 3
                    table.endAndWait(pid, after: 3)
                default:
                    let cpu = UInt64.random(in: 0..<1000, using: &random)
                    used += cpu
                    table.processes[pid]?.ownCPU += cpu
                }
            }
            forest.look(at: [root])
            counted += forest.trees.first?.whole.cpu ?? 0
        }
        #expect(counted == used)
    }
}
