public import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The one place where an operation's state lives while it is active.
///
/// Three kinds of reader and writer meet here: the work writes the two hot atomics as often as it likes, the ticker reads
/// them a few times a second, and everything else takes the lock.
///
/// The order of the stored properties is part of the design. What never changes comes first and fills more than a cache
/// line, the locked state comes last and is longer than one, so no other object shares the line of the hot atomics.
@usableFromInline
final class OperationCell: Sendable {
    let id: OperationID
    let type: OperationType
    let description: String
    /// The operation that this one is a part of, where that is active in the same tracker.
    let parent: OperationCell?
    let parentID: OperationID?
    /// The part of the parent's progress that is this one's.
    let band: Range<Double>?
    let unit: OperationUnit
    let createdAt: Int64

    /// The amount done, as the work last said.
    @usableFromInline let completed = Atomic<Int64>(0)
    /// The whole amount; negative while unknown.
    let total: Atomic<Int64>
    /// The wish that a checkpoint must follow, as ``Wish`` says; 0 for none.
    @usableFromInline let wish = Atomic<UInt8>(Wish.none)

    private let state: Mutex<State>

    init(
        id: OperationID,
        spec: OperationSpec,
        status: OperationStatus,
        parent: OperationCell?,
        node: String?,
        time: CellTime
    ) {
        self.id = id
        type = spec.type
        description = spec.description
        self.parent = parent
        parentID = spec.parent
        band = spec.band
        unit = spec.unit
        createdAt = time.wall
        total = Atomic(spec.unit == .fraction ? OperationUnit.wholeFraction : spec.total ?? -1)
        var state = State(machine: OperationStateMachine(status), updatedAt: time.wall)
        state.visibleStatus = status
        state.priority = spec.priority
        state.pid = spec.pid
        // Work inside this process has no cost of its own that could be told from everything else's.
        if let pid = spec.pid, pid != getpid() { state.process = ProcessIdentity(running: pid) }
        state.startedBy = spec.startedBy
        state.node = node
        if status == .inProgress { state.begin(at: time) }
        self.state = Mutex(state)
    }

    /// The wish as the work's checkpoint reads it.
    @usableFromInline
    enum Wish {
        @usableFromInline static let none: UInt8 = 0
        static let pause: UInt8 = 1
        @usableFromInline static let cancel: UInt8 = 2
    }

    /// Changes what readers see beside the amounts. What has ended can't be changed.
    func change(_ body: (inout State) -> Void) {
        withState { state in
            guard state.machine.status.isActive else { return }
            body(&state)
            state.isDirty = true
        }
    }

    func withState<Result, Refusal: Error>(
        _ body: (inout sending State) throws(Refusal) -> sending Result
    ) throws(Refusal) -> sending Result {
        try state.withLock(body)
    }
}

/// Both clocks read once.
struct CellTime: Sendable {
    let monotonic: Int64
    let wall: Int64

    init(monotonic: Int64, wall: Int64) {
        self.monotonic = monotonic
        self.wall = wall
    }

    init(_ clock: some TrackingClock) {
        self.init(monotonic: clock.monotonicNanoseconds, wall: clock.wallMilliseconds)
    }
}

/// What is known of an operation when it begins.
struct OperationSpec: Sendable {
    var type: OperationType
    var description: String
    var total: Int64?
    var unit: OperationUnit
    var priority: OperationPriority
    var parent: OperationID?
    /// The part of the parent's progress that is this operation's, within 0 to 1.
    var band: Range<Double>?
    var pid: Int32?
    var startedBy: String?
}
