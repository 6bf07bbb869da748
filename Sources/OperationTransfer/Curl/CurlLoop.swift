import CCurl

/// curl's thread at work: one multi handle, and the transfers in it. All of curl but the wake-up call happens here.
final class CurlLoop {
    private let mailbox: CurlMailbox
    private let userAgent: String
    private let multi: UnsafeMutableRawPointer
    private var tasks: [ObjectIdentifier: CurlTask] = [:]

    /// - Returns: `nil` where there is no memory for a multi handle.
    private init?(_ mailbox: CurlMailbox, userAgent: String) {
        guard CurlLibrary.isReady, let multi = curl_multi_init() else { return nil }
        self.mailbox = mailbox
        self.userAgent = userAgent
        self.multi = multi
        mailbox.attach(multi)
    }

    deinit {
        curl_multi_cleanup(multi)
    }

    /// Works until the mailbox is closed, then fails what is left.
    static func run(_ mailbox: CurlMailbox, userAgent: String) {
        let loop = CurlLoop(mailbox, userAgent: userAgent)
        loop?.run()
        refuseAll(mailbox)
        loop?.failAll()
    }

    /// Takes no more commands, and fails those that nobody has collected.
    static func refuseAll(_ mailbox: CurlMailbox) {
        for case .start(let exchange) in mailbox.detach() { exchange.finish(throwing: CurlMailbox.closedError) }
    }

    private func run() {
        while let commands = mailbox.collect() {
            for command in commands { carryOut(command) }
            transfer()
            expire()
            // Ends early when a socket is ready, one of curl's own timers is due, or a command has come in. While bytes wait to be
            // handed over it is no more than a look for others, and the next turn hands them over if there are none.
            let timeout = tasks.values.contains(where: \.hasNews) ? 0 : millisecondsToSleep()
            curl_multi_poll(multi, nil, 0, timeout, nil)
        }
    }

    private func carryOut(_ command: CurlMailbox.Command) {
        switch command {
        case .start(let exchange): start(exchange)
        case .resume(let exchange): tasks[ObjectIdentifier(exchange)]?.resume(at: .now)
        case .cancel(let exchange): remove(exchange)
        }
    }

    private func start(_ exchange: Exchange) {
        guard !exchange.hasEnded else { return }
        do throws(TransferError) {
            let task = try CurlTask(exchange, userAgent: userAgent, now: .now)
            try check(curl_multi_add_handle(multi, task.easy.pointer))
            tasks[ObjectIdentifier(exchange)] = task
        } catch {
            exchange.finish(throwing: error)
        }
    }

    /// Takes the exchange out. Where its answer is not complete, that closes its connection.
    private func remove(_ exchange: Exchange) {
        guard let task = tasks.removeValue(forKey: ObjectIdentifier(exchange)) else { return }
        curl_multi_remove_handle(multi, task.easy.pointer)
    }

    private func transfer() {
        do throws(TransferError) {
            var running: Int32 = 0
            try check(curl_multi_perform(multi, &running))
        } catch {
            for task in tasks.values { end(task, with: error) }
        }
        for task in tasks.values { task.endTurn() }
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            // What the message points to goes with the handle's removal.
            let result = message.pointee.data.result
            guard message.pointee.msg == CURLMSG_DONE, let task = CurlTask.task(of: message.pointee.easy_handle) else {
                continue
            }
            end(task, with: task.failure(for: result))
        }
    }

    private func end(_ task: CurlTask, with error: TransferError?) {
        remove(task.exchange)
        task.exchange.finish(throwing: error)
    }

    private func failAll() {
        for task in tasks.values { end(task, with: CurlMailbox.closedError) }
    }

    private func check(_ result: CURLMcode) throws(TransferError) {
        guard result == CURLM_OK else {
            throw TransferError(.transportFailed, "libcurl failed: \(String(cString: curl_multi_strerror(result))).")
        }
    }
}

// MARK: - Limits of time

extension CurlLoop {
    private func expire() {
        guard tasks.values.contains(where: { $0.nextCheck != nil }) else { return }
        let now = TransferClock.Instant.now
        for task in tasks.values {
            if let error = task.expire(at: now) { end(task, with: error) }
        }
    }

    private func millisecondsToSleep() -> Int32 {
        guard let next = tasks.values.lazy.compactMap(\.nextCheck).min() else { return .max }
        // Rounded up, lest the thread wake before the time and spin.
        let milliseconds = ((next - .now) / .milliseconds(1)).rounded(.up)
        return Int32(min(max(milliseconds, 0), Double(Int32.max)))
    }
}

enum CurlLibrary {
    /// Initialises libcurl, once a process and before anything else of it is used.
    static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}
