/// The download of one layer, computed: bytes flow as the link allows, a fault makes them stand or fall, and a line is
/// due at each interval.
struct LayerDownload {
    enum Step {
        /// A line is due.
        case line(at: Nanoseconds, completed: Int)
        /// All bytes are here.
        case whole(at: Nanoseconds)
        /// An error or a cut ends the pull here.
        case interrupted(by: Fault.Kind, at: Nanoseconds)
    }

    private enum Motion {
        case flowing(since: Nanoseconds)
        /// `nil`: for ever.
        case standing(until: Nanoseconds?)
    }

    private let total: Int
    private let link: LinkSchedule
    private let lineInterval: Nanoseconds
    private var motion: Motion
    private var nextLineAt: Nanoseconds
    /// Bytes on disk when the present motion began.
    private(set) var completed: Int

    init(
        total: Int,
        completed: Int,
        sizeKnownAt: Nanoseconds,
        firstByteAt: Nanoseconds,
        link: LinkSchedule,
        lineInterval: Nanoseconds
    ) {
        self.total = total
        self.completed = completed
        self.link = link
        self.lineInterval = lineInterval
        motion = .flowing(since: firstByteAt)
        nextLineAt = sizeKnownAt + lineInterval
    }

    /// The next step. Takes the faults that have happened off `faults` and counts what arrives in `downloaded`, since
    /// faults are placed by the bytes of the whole request.
    mutating func next(now: Nanoseconds, faults: inout ArraySlice<Fault.Kind>, downloaded: inout Int) -> Step {
        let line = nextLine(now: now)
        while true {
            switch motion {
            case .standing(let until):
                guard let until, until <= line else { return step(to: line, completed: completed) }
                motion = .flowing(since: until)
            case .flowing(let since):
                let missing = total - completed
                let untilFault = faults.first?.afterBytes.map { max(0, $0 - downloaded) } ?? .max
                let moving = min(missing, untilFault)
                guard let end = link.time(toMove: moving, from: since), end <= line else {
                    return step(to: line, completed: completed + link.bytes(from: since, to: line))
                }
                completed += moving
                downloaded += moving
                motion = .flowing(since: end)
                guard moving == untilFault, let fault = faults.popFirst() else { return .whole(at: end) }
                if let step = happen(fault, at: end) { return step }
            }
        }
    }

    /// The time of the next line: a line that is late by an interval or more gives way to the latest one that is due.
    private func nextLine(now: Nanoseconds) -> Nanoseconds {
        nextLineAt + max(0, now - nextLineAt) / lineInterval * lineInterval
    }

    /// A layer on its way never says that it is whole: Ollama goes on to the next one instead.
    private mutating func step(to line: Nanoseconds, completed: Int) -> Step {
        nextLineAt = line + lineInterval
        return .line(at: line, completed: min(completed, total - 1))
    }

    /// Lets a fault change the motion; the kinds that end the pull are a step of their own.
    private mutating func happen(_ fault: Fault.Kind, at time: Nanoseconds) -> Step? {
        switch fault {
        case .completedFalls(_, let bytes):
            completed = min(completed, max(0, bytes))
        case .stall(_, let duration):
            motion = .standing(until: time + max(0, duration.nanoseconds))
        case .hang:
            motion = .standing(until: nil)
        case .error, .cut, .digestMismatch, .status, .raw, .rawThenCut:
            return .interrupted(by: fault, at: time)
        }
        return nil
    }
}
