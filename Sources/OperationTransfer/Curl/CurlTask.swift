import CCurl

/// One exchange as curl sees it: an easy handle, its callbacks, and the clock it runs against. Lives on curl's thread alone.
final class CurlTask {
    let exchange: Exchange
    let easy: EasyHandle
    private var parser: HeadParser
    private var clock: TransferClock
    private let start: TransferClock.Instant
    /// Whether curl has been told to pause, because the reader has to catch up.
    private var isPaused = false
    private var news = News.none

    /// Bytes that have arrived and that a waiting reader has not been woken for.
    private enum News {
        case none
        case ofThisTurn
        case ofAnEarlierTurn
    }

    init(_ exchange: Exchange, userAgent: String, now: TransferClock.Instant) throws(TransferError) {
        self.exchange = exchange
        easy = try EasyHandle()
        parser = HeadParser(followsRedirects: exchange.request.maximumRedirects > 0)
        clock = TransferClock(exchange.request.timeouts, startingAt: now)
        start = now
        try easy.apply(exchange.request, userAgent: userAgent)

        // Unretained, for the callbacks run only while the handle is part of the multi handle, and the loop holds the task for
        // longer than that.
        let context = Unmanaged.passUnretained(self).toOpaque()
        try easy.set(CURLOPT_PRIVATE, context)
        try easy.set(CURLOPT_WRITEDATA, context)
        try easy.set(CURLOPT_HEADERDATA, context)
        try easy.set(CURLOPT_WRITEFUNCTION) { bytes, _, count, context in
            guard let bytes, let task = CurlTask.task(behind: context) else { return 0 }
            return task.receiveBody(UnsafeRawBufferPointer(start: bytes, count: count))
        }
        try easy.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let bytes, let task = CurlTask.task(behind: context) else { return 0 }
            task.receiveHeaderLine(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
    }

    /// The task whose easy handle this is.
    static func task(of easy: UnsafeMutableRawPointer?) -> CurlTask? {
        var context: UnsafeMutableRawPointer?
        ccurl_get_private(easy, &context)
        return task(behind: context)
    }

    private static func task(behind context: UnsafeMutableRawPointer?) -> CurlTask? {
        context.map { Unmanaged<CurlTask>.fromOpaque($0).takeUnretainedValue() }
    }

    private func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard exchange.receive(bytes) else {
            isPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        news = .ofThisTurn
        return bytes.count
    }

    private func receiveHeaderLine(_ line: UnsafeRawBufferPointer) {
        if let head = parser.parse(line) { exchange.receive(head) }
    }

    /// Goes on receiving. curl may call back at once with what it had to keep, and may be told to pause again.
    func resume(at now: TransferClock.Instant) {
        isPaused = false
        clock.beginPeriod(at: now, moved: bodyBytes, isHeld: false)
        curl_easy_pause(easy.pointer, CURLPAUSE_CONT)
    }

    /// Whether bytes wait to be handed over.
    var hasNews: Bool { news != .none }

    /// Hands what has arrived to the reader in the first turn of the loop that brings nothing more: a quick stream goes on
    /// filling the buffer, since a wake-up costs more than reading 100 KiB, and a slow one waits for no more than a turn.
    func endTurn() {
        switch news {
        case .none: break
        case .ofThisTurn: news = .ofAnEarlierTurn
        case .ofAnEarlierTurn:
            news = .none
            exchange.flush()
        }
    }

    /// What ends the transfer, as curl's result says; `nil` for the proper end.
    func failure(for result: CURLcode) -> TransferError? {
        CurlFailure(result, of: easy, lastStatus: parser.lastStatus).map { $0.error(for: exchange) }
    }
}

// MARK: - Limits of time

extension CurlTask {
    /// When to call `expire` next; `nil` for never.
    var nextCheck: TransferClock.Instant? { clock.nextCheck }

    /// The error of a limit that has been passed, if any.
    func expire(at now: TransferClock.Instant) -> TransferError? {
        guard let nextCheck, now >= nextCheck else { return nil }
        let timeouts = exchange.request.timeouts
        switch clock.expiry(at: now, moved: bodyBytes, isHeld: isPaused || !isConnected, connected: connected) {
        case nil: return nil
        case .total: return .total(of: timeouts, exchange.endpoint)
        case .stalled: return .stalled(of: timeouts, exchange.endpoint)
        }
    }

    private var bodyBytes: Int64 {
        easy.offset(CURLINFO_SIZE_DOWNLOAD_T) + easy.offset(CURLINFO_SIZE_UPLOAD_T)
    }

    /// Whether a connection stands, TLS and all, and the request has begun to be sent.
    private var isConnected: Bool {
        easy.offset(CURLINFO_PRETRANSFER_TIME_T) > 0
    }

    /// Since when.
    private var connected: TransferClock.Instant? {
        guard isConnected else { return nil }
        let microseconds = easy.offset(CURLINFO_REDIRECT_TIME_T) + easy.offset(CURLINFO_PRETRANSFER_TIME_T)
        return start + .microseconds(microseconds)
    }
}

extension TransferError {
    fileprivate static func total(of timeouts: HTTPTimeouts, _ endpoint: Endpoint) -> TransferError {
        let limit = timeouts.total ?? .zero
        return TransferError(
            .timeoutTotal,
            "The transfer from \(endpoint) was not done within the \(limit) allowed for it."
        )
    }

    fileprivate static func stalled(of timeouts: HTTPTimeouts, _ endpoint: Endpoint) -> TransferError {
        let speed =
            timeouts.lowSpeed.map { "less than \($0.bytesPerSecond) bytes a second for \($0.period)" } ?? "too slow"
        return TransferError(.timeoutStalled, "The transfer from \(endpoint) has stalled: \(speed).")
    }
}
