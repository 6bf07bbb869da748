import OperationTracking
import Synchronization

/// HTTP on libcurl: any number of transfers at once, on one thread of its own.
///
/// Connections are kept and used again. HTTP/2 is used over TLS where the server offers it. The proxy variables of the environment
/// hold as curl has them (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`), except for this machine. `Expect` and `Accept-Encoding` are not sent unless
/// the request has them, so the bytes read are the bytes that the server counts. Make one transport and share it; a body that is being
/// read keeps its transport alive.
public final class CurlTransport: HTTPTransport {
    /// What holds for all requests of a transport.
    public struct Configuration: Sendable {
        /// The `User-Agent` of a request that names none.
        public var userAgent: String
        /// How many bytes of one answer may wait for its reader, before the sender is made to wait; at least 1. The reader may hold a
        /// chunk of the same size, and curl about 128 KiB besides. Gigabytes a second need the 1 MiB of the
        /// default, since a reader's wake-up takes as long as reading some 100 KiB; for slower networks 256 KiB is as good.
        public var bufferSize: Int

        /// A configuration; `OperationTracking/0.1` and 1 MiB unless given.
        public init(userAgent: String = "OperationTracking/0.1", bufferSize: Int = 1 << 20) {
            self.userAgent = userAgent
            self.bufferSize = bufferSize
        }
    }

    private let configuration: Configuration
    private let mailbox = CurlMailbox()
    private let hasBegun = Atomic(false)

    /// A transport with a thread of its own, which begins with the first request and sleeps while there is nothing to do.
    public init(configuration: Configuration = Configuration()) {
        self.configuration = configuration
    }

    deinit {
        shutdown()
    }

    /// Ends the thread and closes all connections. What is under way, and what is sent later, fails with
    /// ``TransferError/Code/transportFailed``. Returns at once; without effect the second time.
    public func shutdown() {
        mailbox.close()
    }

    /// Starts the thread, and with it libcurl and its TLS library, which take some megabytes: a service that has yet to send anything
    /// does without.
    private func begin() {
        guard !hasBegun.exchange(true, ordering: .relaxed) else { return }
        let hasThread = BlockingThread.run { [mailbox, configuration] in
            CurlLoop.run(mailbox, userAgent: configuration.userAgent)
        }
        if !hasThread { CurlLoop.refuseAll(mailbox) }
    }

    /// Sends `request`, and returns once the head of the final answer is there. The body streams after that.
    /// - Throws: ``TransferError``, or `CancellationError` when the task was cancelled.
    public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let endpoint = try request.validated()
        begin()
        let exchange = Exchange(request, to: endpoint, through: mailbox, capacity: configuration.bufferSize)
        let head = try await exchange.head()
        let body = BodyOwner(exchange, transport: self)
        return HTTPResponse(
            status: head.status,
            headers: head.headers,
            body: HTTPBody(unfolding: { try await body.exchange.nextChunk() })
        )
    }
}

/// What the holders of a body share. When the last of them lets go, nobody can read the body any more.
private final class BodyOwner: Sendable {
    let exchange: Exchange
    /// Keeps the thread at work for as long as the body can be read.
    private let transport: CurlTransport

    init(_ exchange: Exchange, transport: CurlTransport) {
        self.exchange = exchange
        self.transport = transport
    }

    deinit {
        exchange.cancel()
    }
}
