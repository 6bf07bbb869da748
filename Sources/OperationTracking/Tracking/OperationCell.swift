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
    private let origin: Origin
    let createdAt: Int64

    /// The amount done, as the work last said.
    @usableFromInline let completed = Atomic<Int64>(0)
    /// The whole amount; negative while unknown.
    let total: Atomic<Int64>
    /// The wish that a checkpoint must follow, as ``Wish`` says; 0 for none.
    @usableFromInline let wish = Atomic<UInt8>(Wish.none)
    let unit: OperationUnit
    /// Tells apart what was made in the same millisecond: it rises with each that is made.
    let number: UInt32

    private let state: Mutex<State>

    private static let lastNumber = Atomic<UInt32>(0)

    init(
        id: OperationID,
        spec: OperationSpec,
        status: OperationStatus,
        parent: OperationCell?,
        node: String?,
        usual: Origin? = nil,
        time: CellTime
    ) {
        self.id = id
        type = spec.type
        description = spec.description
        if let usual, usual.isThat(of: spec, node: node) {
            origin = usual
        } else {
            origin = Origin(spec, parent: parent, node: node)
        }
        createdAt = time.wall
        unit = spec.unit
        number = Self.lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        total = Atomic(spec.unit == .fraction ? OperationUnit.wholeFraction : spec.total ?? -1)
        var state = State(machine: OperationStateMachine(status), updatedAt: time.wall)
        state.priority = spec.priority
        // A whole that is known from the beginning is news for the first tick.
        state.isDirty = spec.total != nil || spec.unit == .fraction
        if let pid = spec.pid {
            state.pid = pid
            // Work inside this process has no cost of its own that could be told from everything else's.
            if pid != getpid() { state.process = ProcessIdentity(running: pid) }
        }
        if status == .inProgress { state.begin(at: time) }
        self.state = Mutex(consume state)
    }

    /// The operation that this one is a part of, where that is active in the same tracker.
    var parent: OperationCell? { origin.parent }
    var parentID: OperationID? { origin.parentID }
    /// The part of the parent's progress that is this one's.
    var band: Range<Double>? { origin.band }
    var node: String? { origin.node }
    var startedBy: String? { origin.startedBy }

    /// What an operation is a part of, where it runs and who began it: the same for most of a tracker's operations, which share
    /// it.
    final class Origin: Sendable {
        let parent: OperationCell?
        let parentID: OperationID?
        let band: Range<Double>?
        let node: String?
        let startedBy: String?

        fileprivate init(_ spec: OperationSpec, parent: OperationCell?, node: String?) {
            self.parent = parent
            parentID = spec.parent
            band = spec.band
            self.node = node
            startedBy = spec.startedBy
        }

        /// That of operations of which nothing special is known.
        init(node: String?, startedBy: String?) {
            parent = nil
            parentID = nil
            band = nil
            self.node = node
            self.startedBy = startedBy
        }

        fileprivate func isThat(of spec: OperationSpec, node: String?) -> Bool {
            parentID == nil && spec.parent == nil && spec.band == nil && self.node == node
                && startedBy == spec.startedBy
        }
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
