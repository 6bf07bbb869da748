import OperationTracking
import Synchronization

/// One request and its answer, on the way between curl's thread, which brings the answer in, and the task that reads it.
///
/// It holds the answer's bytes that have arrived and not been read, and bounds them: once they fill the buffer, curl is told to
/// pause, and the reader who takes them has curl go on.
final class Exchange: Sendable {
    let request: HTTPRequest
    let endpoint: Endpoint
    private let mailbox: CurlMailbox
    private let largestCapacity: Int
    private let state = Mutex(ExchangeState())

    init(_ request: HTTPRequest, to endpoint: Endpoint, through mailbox: CurlMailbox, capacity: Int) {
        self.request = request
        self.endpoint = endpoint
        self.mailbox = mailbox
        largestCapacity = capacity
    }

    /// How many bytes may wait for the reader before curl has to pause. One callback's worth (16 KiB) may come on top. A reader
    /// who is slow because of a limit gets little at a time: a server that can't send for a minute gives up.
    private var capacity: Int {
        guard let limit = request.limiter?.lowestBytesPerSecond else { return largestCapacity }
        return min(largestCapacity, max(16 << 10, Int(limit / 4)))
    }
}

// MARK: - The reader's side

extension Exchange {
    /// Sends the request and waits for the answer's head.
    func head() async throws -> ResponseHead {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                let ending = state.withLock { state in
                    if state.ending == nil { state.headWaiter = waiter }
                    return state.ending
                }
                if case .failed(let error) = ending {
                    waiter.resume(throwing: error)
                } else if !mailbox.post(.start(self)) {
                    finish(throwing: CurlMailbox.closedError)
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// All bytes that have arrived and not been read, as fast as the request's limiter allows; where there are none, waits for
    /// some. `nil` at the end.
    func nextChunk() async throws -> [UInt8]? {
        guard let limiter = request.limiter else { return try await nextBufferedChunk() }
        var next = state.withLock { $0.takeRest() }
        if next == nil { next = try await nextBufferedChunk() }
        guard var chunk = next else { return nil }
        // At a low limit all that has arrived is worth seconds, and would make jumps of them.
        if let limit = limiter.lowestBytesPerSecond, case let piece = max(256, Int(limit / 16)), chunk.count > piece {
            let rest = chunk[piece...]
            chunk = Array(chunk[..<piece])
            state.withLock { $0.rest = rest }
        }
        do {
            try await limiter.take(chunk.count)
        } catch {
            cancel()
            throw error
        }
        return chunk
    }

    private func nextBufferedChunk() async throws -> [UInt8]? {
        if Task.isCancelled { cancel() }
        switch state.withLock({ $0.read() }) {
        case .chunk(let bytes, let resumesCurl):
            if resumesCurl { mailbox.post(.resume(self)) }
            return bytes
        case .end: return nil
        case .failure(let error): throw error
        case .nothingYet: return try await waitForChunk()
        }
    }

    private func waitForChunk() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                // Read again: something may have arrived since the look without a waiter.
                let read: ExchangeState.Read = state.withLock { state in
                    guard state.chunkWaiter == nil else { return .failure(Self.secondReaderError) }
                    let read = state.read()
                    if case .nothingYet = read { state.chunkWaiter = waiter }
                    return read
                }
                deliver(read, to: waiter)
            }
        } onCancel: {
            cancel()
        }
    }

    /// Gives up: nothing more is read, and the connection is closed. Without effect once the exchange has ended.
    func cancel() {
        if end(.failed(CancellationError()), discardingBuffer: true) {
            mailbox.post(.cancel(self))
        }
    }

    private static let secondReaderError = TransferError(
        .transportFailed,
        "The answer's body is already being read by another task."
    )
}

// MARK: - The side of curl's thread

extension Exchange {
    /// Whether it has ended, which for curl means: been cancelled.
    var hasEnded: Bool {
        state.withLock { $0.ending != nil }
    }

    /// Takes in the head of the final answer.
    func receive(_ head: ResponseHead) {
        let waiter = state.withLock { $0.headWaiter.take() }
        waiter?.resume(returning: head)
    }

    /// Takes in a piece of the body, or refuses it: then curl has to pause until it is told to go on.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch state.withLock({ $0.receive(bytes, capacity: capacity) }) {
        case .refused: return false
        case .taken: return true
        case .takenAndWorthReading:
            // Waking the reader costs more than copying a piece, so a quick stream wakes it with a good many at once. Less than
            // that is handed over as soon as curl has nothing more to bring in.
            flush()
            return true
        }
    }

    /// Hands what has arrived to the reader, if it waits.
    func flush() {
        let delivery = state.withLock { state -> (CheckedContinuation<[UInt8]?, any Error>, ExchangeState.Read)? in
            guard let waiter = state.chunkWaiter else { return nil }
            let read = state.read()
            if case .nothingYet = read { return nil }
            state.chunkWaiter = nil
            return (waiter, read)
        }
        if let (waiter, read) = delivery { deliver(read, to: waiter) }
    }

    /// Ends the exchange: properly, or with an error that the reader gets after the bytes that have arrived.
    func finish(throwing error: TransferError? = nil) {
        end(error.map { .failed($0) } ?? .complete, discardingBuffer: false)
    }
}

// MARK: - Both sides

extension Exchange {
    /// - Returns: `false` where it had ended before.
    @discardableResult
    private func end(_ ending: ExchangeState.Ending, discardingBuffer: Bool) -> Bool {
        let (isFirst, headWaiter) = state.withLock { state in
            (state.end(ending, discardingBuffer: discardingBuffer), state.headWaiter.take())
        }
        switch ending {
        case .failed(let error): headWaiter?.resume(throwing: error)
        case .complete: headWaiter?.resume(throwing: cutHeadError)
        }
        flush()
        return isFirst
    }

    /// curl takes a head that its connection's end cuts short for a complete one.
    private var cutHeadError: TransferError {
        TransferError(.connectionLost, "The connection to \(endpoint) was lost before the answer's head was complete.")
    }

    private func deliver(_ read: ExchangeState.Read, to waiter: CheckedContinuation<[UInt8]?, any Error>) {
        switch read {
        case .nothingYet: break
        case .chunk(let bytes, let resumesCurl):
            if resumesCurl { mailbox.post(.resume(self)) }
            waiter.resume(returning: bytes)
        case .end: waiter.resume(returning: nil)
        case .failure(let error): waiter.resume(throwing: error)
        }
    }
}
