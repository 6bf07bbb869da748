/// What an ``Exchange`` guards with its lock: the bytes that wait for the reader, who waits for what, and how it ended.
struct ExchangeState {
    enum Ending {
        case complete
        case failed(any Error)
    }

    /// What the reader finds.
    enum Read {
        /// All bytes that waited, and whether curl has to be told to go on.
        case chunk([UInt8], resumesCurl: Bool)
        case nothingYet
        case end
        case failure(any Error)
    }

    /// What has become of a piece of the body.
    enum Receipt {
        case taken
        /// There is enough now to be worth waking the waiting reader.
        case takenAndWorthReading
        /// There is no room; curl keeps it, and has to pause.
        case refused
    }

    var headWaiter: CheckedContinuation<ResponseHead, any Error>?
    var chunkWaiter: CheckedContinuation<[UInt8]?, any Error>?
    private var buffer: [UInt8] = []
    /// What the reader has taken out and not used yet.
    var rest: ArraySlice<UInt8> = []
    /// The size of the last chunk read, which is a fair guess at the next one's.
    private var lastChunk = 0
    /// Whether curl was told to pause, and not yet to go on.
    private var isPaused = false
    /// `nil` while it runs.
    private(set) var ending: Ending?

    init() {}

    mutating func receive(_ bytes: UnsafeRawBufferPointer, capacity: Int) -> Receipt {
        // Of a cancelled transfer curl may still bring in something, until its thread sees the cancellation.
        guard ending == nil else { return .taken }
        guard buffer.count < capacity else {
            isPaused = true
            return .refused
        }
        if buffer.isEmpty { buffer.reserveCapacity(lastChunk) }
        buffer.append(contentsOf: bytes)
        return chunkWaiter != nil && buffer.count >= capacity / 2 ? .takenAndWorthReading : .taken
    }

    /// Takes what was left of the last chunk; `nil` where nothing was.
    mutating func takeRest() -> [UInt8]? {
        guard !rest.isEmpty else { return nil }
        defer { rest = [] }
        return Array(rest)
    }

    /// Takes all that waits. What has arrived comes before the ending.
    mutating func read() -> Read {
        guard buffer.isEmpty else {
            let resumesCurl = isPaused && ending == nil
            isPaused = false
            lastChunk = buffer.count
            var bytes: [UInt8] = []
            swap(&bytes, &buffer)
            return .chunk(bytes, resumesCurl: resumesCurl)
        }
        switch ending {
        case nil: return .nothingYet
        case .complete: return .end
        case .failed(let error): return .failure(error)
        }
    }

    /// - Returns: whether it had not ended before; only the first ending counts.
    mutating func end(_ ending: Ending, discardingBuffer: Bool) -> Bool {
        guard self.ending == nil else { return false }
        self.ending = ending
        if discardingBuffer { (buffer, rest) = ([], []) }
        return true
    }
}
