/// What processes have used.
struct ProcessUsage: Sendable, Hashable {
    /// CPU nanoseconds since the last look; `nil` when there was none.
    var cpu: UInt64?
    /// Resident bytes; memory that processes share counts in each of them.
    var residentBytes: Int64 = 0

    static func += (left: inout ProcessUsage, right: ProcessUsage) {
        if let cpu = right.cpu { left.cpu = (left.cpu ?? 0) + cpu }
        left.residentBytes += right.residentBytes
    }
}

/// The process trees below the processes of operations, and what each tree has used since the last look.
///
/// CPU time is counted so that nothing is lost that the kernel keeps, and nothing is counted twice:
///
/// - A process that is still there has used what its own time (`utime` + `stime`) grew by. One that is new and started after
///   the last look has used all it has; one that started earlier (it was adopted) is counted from now on.
/// - When a process waits for a child that has ended, the kernel adds the child's whole time to the parent's `cutime` +
///   `cstime`. So growth there, less what had been counted of that child while it lived, is what the child used between
///   the last look and its end; a child that came and went between two looks is counted in full.
/// - Parents are read before their children. A child that ends in between is gone although the parent's figure does not
///   hold it yet; what was counted of it stays owed by the parent until the next look, so it can't be counted again then.
/// - Lost is the last time of a child that nobody waits for (the parent ignores `SIGCHLD`, or ended first).
///
/// A process belongs to the nearest named process above it. A tree's figures are the sum over the named ones in it, and the
/// total adds each process once.
struct ProcessForest<Table: ProcessTable>: ~Copyable {
    /// A named process and what lies below it.
    struct Tree: Sendable {
        let identity: ProcessIdentity
        /// Of the processes that belong to no other named process further down.
        fileprivate(set) var own: ProcessUsage
        /// Of the whole tree.
        fileprivate(set) var whole = ProcessUsage()
        /// The tree that this one is part of.
        fileprivate var enclosing: Int?
    }

    private struct Node {
        let startTime: UInt64
        let parent: Int32
        let tree: Int
        let look: UInt64
        let ownCPU: UInt64
        let endedChildrenCPU: UInt64
        /// What `endedChildrenCPU` has grown by since the last look.
        var gained: UInt64 = 0
        /// What ended children had been counted with while they lived, and `endedChildrenCPU` may still bring again: those
        /// found ended in the look before, and in this one.
        var owedBefore: UInt64 = 0
        var owedNow: UInt64 = 0

        var counted: UInt64 { ownCPU + endedChildrenCPU }
    }

    private struct Candidate {
        let pid: Int32
        let parent: Int32
        let tree: Int
    }

    /// The trees of the processes that were there in the last look.
    private(set) var trees: [Tree] = []

    private var table: Table
    private var nodes: [Int32: Node] = [:]
    private var look: UInt64 = 0
    private var lastLookTime: UInt64?
    // Kept from look to look for their storage.
    private var named: [Int32: UInt64] = [:]
    private var roots: [ProcessIdentity] = []
    private var candidates: [Candidate] = []
    private var children: [Int32] = []
    private var met: [Int32] = []
    private var unmet: [ProcessIdentity] = []
    private var ended: [(parent: Int32, counted: UInt64)] = []

    init(_ table: Table) {
        self.table = table
    }

    /// The sum over all trees, each process once.
    var total: ProcessUsage {
        var total = ProcessUsage()
        for tree in trees { total += tree.own }
        return total
    }

    /// Looks at `processes` and all below them.
    mutating func look(at processes: [ProcessIdentity]) {
        let time = table.startTimeNow()
        table.beginPass()
        look += 1
        trees.removeAll(keepingCapacity: true)
        met.removeAll(keepingCapacity: true)
        ended.removeAll(keepingCapacity: true)
        name(processes)
        for root in roots { plant(root) }
        meetUnmet()
        settle()
        for tree in trees.indices { addUp(tree) }
        lastLookTime = time
    }

    private mutating func name(_ processes: [ProcessIdentity]) {
        named.removeAll(keepingCapacity: true)
        roots.removeAll(keepingCapacity: true)
        for process in processes where process.pid > 1 {
            named[process.pid] = process.startTime
            roots.append(process)
        }
        // Parents start before their children: in this order the outer of two trees is walked first.
        roots.sort { ($0.startTime, $0.pid) < ($1.startTime, $1.pid) }
    }

    // MARK: Walking

    private func isMet(_ pid: Int32) -> Bool {
        nodes[pid]?.look == look
    }

    private mutating func plant(_ root: ProcessIdentity) {
        guard !isMet(root.pid), let reading = table.read(root.pid) else { return }
        guard reading.startTime == root.startTime, named[root.pid] == root.startTime else {
            return table.forget(root.pid)
        }
        meet(root.pid, reading, parent: 0, in: nil)
        walk()
    }

    /// Meets the candidates and all that lies below them.
    private mutating func walk() {
        while let candidate = candidates.popLast() {
            if let node = nodes[candidate.pid], node.look == look {
                enclose(node, pid: candidate.pid, in: candidate.tree)
            } else if let reading = table.read(candidate.pid) {
                guard reading.parent == candidate.parent else {
                    // Its number is another process's already, or it has been adopted.
                    table.forget(candidate.pid)
                    continue
                }
                meet(candidate.pid, reading, parent: candidate.parent, in: candidate.tree)
            }
        }
    }

    /// Takes what was read of a process, and makes candidates of its children.
    private mutating func meet(_ pid: Int32, _ reading: ProcessReading, parent: Int32, in enclosing: Int?) {
        let known = known(pid, reading)
        var tree = enclosing
        if named[pid] == reading.startTime {
            tree = trees.count
            let own = ProcessUsage(cpu: known == nil ? nil : 0)
            trees.append(
                Tree(identity: ProcessIdentity(pid: pid, startTime: reading.startTime), own: own, enclosing: enclosing)
            )
        }
        guard let tree else { return }
        var node = Node(
            startTime: reading.startTime,
            parent: parent,
            tree: tree,
            look: look,
            ownCPU: reading.ownCPU,
            endedChildrenCPU: reading.endedChildrenCPU
        )
        var used: UInt64 = 0
        if let known {
            used = reading.ownCPU.less(known.ownCPU)
            node.gained = reading.endedChildrenCPU.less(known.endedChildrenCPU)
            node.owedBefore = known.owedNow
        } else if let lastLookTime, reading.startTime >= lastLookTime {
            used = node.counted
        }
        nodes[pid] = node
        met.append(pid)
        if let cpu = trees[tree].own.cpu { trees[tree].own.cpu = cpu + used }
        trees[tree].own.residentBytes += reading.residentBytes

        children.removeAll(keepingCapacity: true)
        table.appendChildren(of: pid, to: &children)
        for child in children { candidates.append(Candidate(pid: child, parent: pid, tree: tree)) }
    }

    /// What is known of the process from before; a pid whose process is another one now has an end behind it.
    private mutating func known(_ pid: Int32, _ reading: ProcessReading) -> Node? {
        guard let node = nodes[pid] else { return nil }
        guard node.startTime != reading.startTime else { return node }
        ended.append((node.parent, node.counted))
        return nil
    }

    /// A named process that was walked before the tree around it was.
    private mutating func enclose(_ node: Node, pid: Int32, in tree: Int) {
        // The tree that is being walked now was not met before, so it can't lie in the one that it meets: no cycle.
        guard node.tree != tree, trees[node.tree].identity.pid == pid, trees[node.tree].enclosing == nil else { return }
        trees[node.tree].enclosing = tree
    }

    // MARK: Processes known from before that the walk did not meet

    /// A list of children is not complete when one of them ends while it is read, so each is looked at by itself.
    private mutating func meetUnmet() {
        unmet.removeAll(keepingCapacity: true)
        for (pid, node) in nodes where node.look != look {
            unmet.append(ProcessIdentity(pid: pid, startTime: node.startTime))
        }
        unmet.sort { ($0.startTime, $0.pid) < ($1.startTime, $1.pid) }
        for process in unmet where !isMet(process.pid) {
            guard let reading = table.read(process.pid), reading.startTime == process.startTime else {
                if let node = nodes[process.pid] { ended.append((node.parent, node.counted)) }
                continue
            }
            guard let parent = nodes[reading.parent], parent.look == look else { continue }
            meet(process.pid, reading, parent: reading.parent, in: parent.tree)
            walk()
        }
    }

    /// Counts what ended children have used, and forgets who is gone.
    private mutating func settle() {
        for (parent, counted) in ended { owe(counted, by: parent) }
        for process in unmet where !isMet(process.pid) {
            nodes[process.pid] = nil
            table.forget(process.pid)
        }
        for pid in met { collect(pid) }
    }

    /// The parent may have ended too, and its time gone to its own parent: the nearest one that is still there owes it.
    private mutating func owe(_ counted: UInt64, by parent: Int32) {
        var pid = parent
        // Bounded, since links of different looks could make a ring where numbers were used again.
        for _ in 0..<nodes.count {
            guard let node = nodes[pid] else { return }
            if node.look == look {
                nodes[pid]?.owedNow += counted
                return
            }
            pid = node.parent
        }
    }

    private mutating func collect(_ pid: Int32) {
        guard var node = nodes[pid], node.gained > 0 || node.owedBefore > 0 || node.owedNow > 0 else { return }
        let used = node.gained.less(node.owedBefore + node.owedNow)
        if let cpu = trees[node.tree].own.cpu { trees[node.tree].own.cpu = cpu + used }
        // A debt is kept for one look: by then the parent has waited, or the time went elsewhere and never comes.
        node.owedNow = min(node.owedNow, (node.owedBefore + node.owedNow).less(node.gained))
        nodes[pid] = node
    }

    private mutating func addUp(_ tree: Int) {
        let own = trees[tree].own
        var outer: Int? = tree
        while let index = outer {
            // A tree that is new as a whole has no CPU figure, whatever is known of a part.
            let cpu = trees[index].own.cpu == nil ? nil : own.cpu
            trees[index].whole += ProcessUsage(cpu: cpu, residentBytes: own.residentBytes)
            outer = trees[index].enclosing
        }
    }
}

extension UInt64 {
    /// The difference, and 0 rather than a negative one: counters are read at slightly different moments.
    func less(_ other: UInt64) -> UInt64 {
        self > other ? self - other : 0
    }
}
