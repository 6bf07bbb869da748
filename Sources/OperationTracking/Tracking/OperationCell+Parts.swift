import Synchronization

/// How wishes go down from a whole to its parts, and what the parts say of their whole.
///
/// A wish is for everything below, and each operation there follows it if it can. What has ended follows nothing any more, but
/// hands on: parts may outlive it, and then they count as parts of the next whole. A whole is locked before its parts, never
/// after.
extension OperationCell {
    /// How deep parts of parts go: locks are taken, and progress is summed, down to the last.
    static let deepestPart = 16

    /// The nearest operation round it that is active.
    var whole: OperationCell? {
        var whole = parent
        while let cell = whole, !cell.withState(\.machine.status.isActive) { whole = cell.parent }
        return whole
    }

    /// In how many others it is.
    var depth: Int {
        var (depth, whole) = (0, parent)
        while let cell = whole { (depth, whole) = (depth + 1, cell.parent) }
        return depth
    }

    /// Passes a wish on to the operation and all its parts, in one moment: so that of two wishes the same one is the later for
    /// all of them.
    ///
    /// - Returns: what the wish came to, each whole before its parts. A part that can't follow is left out, and leaves the wish
    ///   standing with the whole.
    func take(
        _ request: OperationStateMachine.Event,
        withPartsAt time: CellTime
    ) throws(OperationError) -> [(cell: OperationCell, step: Step)] {
        var steps: [(cell: OperationCell, step: Step)] = []
        try withState { state throws(OperationError) in
            steps.append((self, try take(request, at: time, in: &state)))
            Self.pass(request, to: state.children, at: time, &steps)
        }
        return steps
    }

    private static func pass(
        _ request: OperationStateMachine.Event,
        to parts: [Child],
        at time: CellTime,
        _ steps: inout [(cell: OperationCell, step: Step)]
    ) {
        for cell in parts.lazy.map(\.cell) {
            cell.withState { state in
                if state.machine.status.isActive, let step = try? cell.take(request, at: time, in: &state) {
                    steps.append((cell, step))
                }
                pass(request, to: state.children, at: time, &steps)
            }
        }
    }

    /// Takes a part, and gives it a band of this operation's progress, or none. Whoever had that band before loses it.
    func take(_ child: Child) {
        withState { state in
            // What has been shown so far is not to fall because a part begins again.
            shownPercent(of: &state, status: state.visibleStatus)
            // A part without a band is there to hear of wishes, so it is forgotten once nothing is left of it.
            state.children = state.children.compactMap { other in
                guard other.band.isEmpty || other.band.overlaps(child.band) else { return other }
                return other.cell.isAnyActive ? Child(cell: other.cell, band: 0..<0) : nil
            }
            // What has ended in this moment has no progress to share out any more.
            let isActive = state.machine.status.isActive
            state.children.append(isActive ? child : Child(cell: child.cell, band: 0..<0))
            if isActive { state.isDirty = true }
        }
    }

    /// Follows the wish that stands already for what it has become a part of: in the same moment as that is looked at, so that it
    /// is before any later wish for both.
    ///
    /// - Returns: whether the part is to stop, as its whole is; and its request to pause, if the whole is paused or asked to.
    func takeWishOfWhole(at time: CellTime) -> (isToStop: Bool, pause: Step?) {
        var whole = parent
        while let cell = whole {
            let wish: (isToStop: Bool, pause: Step?)? = cell.withState { state in
                let (status, wish) = (state.machine.status, state.machine.pendingRequest)
                // Nobody wants the part of work that was stopped or failed in this moment.
                let hasStopped = cell === parent && (status == .cancelled || status == .failed)
                if wish == .cancel || hasStopped { return (true, nil) }
                if wish == .pause || (status == .paused && wish == nil) {
                    return (false, try? take(.requestPause, at: time))
                }
                // A wish that this one can't have may be there further up.
                let mayHaveWish = status.isActive && !(status == .inProgress && state.pausing == .unsupported)
                return mayHaveWish ? (false, nil) : nil
            }
            if let wish { return wish }
            whole = cell.parent
        }
        return (false, nil)
    }

    /// Lets go of the parts that have ended, once it has itself: they hold it, and it would hold them for ever.
    func forgetEndedParts() {
        withState { state in
            guard state.machine.status.isTerminal, !state.children.isEmpty else { return }
            // Its amounts were theirs.
            if state.children.contains(where: { !$0.band.isEmpty }) {
                total.store(OperationUnit.wholeFraction, ordering: .relaxed)
            }
            state.children = state.children.filter(\.cell.isAnyActive).map { Child(cell: $0.cell, band: 0..<0) }
        }
    }

    /// Lets go of all its parts when nothing of them moves any more: they hold it, and it would hold them for ever. What they have
    /// come to stays.
    func forgetParts() {
        withState { state in
            guard !state.children.isEmpty else { return }
            let amounts = amounts(of: state)
            completed.store(amounts.completed, ordering: .relaxed)
            total.store(amounts.total, ordering: .relaxed)
            state.children = []
        }
    }

    /// Whether it, or any part of it, is active.
    private var isAnyActive: Bool { withState { $0.machine.status.isActive || $0.partsStandStill != nil } }
}

extension OperationCell.State {
    /// Whether nothing moves: it has paused, or it has not begun and is held back.
    private var standsStill: Bool {
        switch machine.status {
        case .paused: machine.pendingRequest == nil
        case .pending: machine.pendingRequest == .pause
        default: false
        }
    }

    /// Whether all its parts that are active stand still; `nil` where none is. For a part that has ended its own parts count.
    var partsStandStill: Bool? {
        var result: Bool?
        for part in children {
            let isStill = part.cell.withState { $0.machine.status.isActive ? $0.standsStill : $0.partsStandStill }
            guard let isStill else { continue }
            guard isStill else { return false }
            result = true
        }
        return result
    }
}
