import CMicroHTTPD
public import OperationHTTP
import OperationTracking
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The HTTP API on a server of its own, which is libmicrohttpd.
///
/// ```swift
/// let api = OperationAPI(tracker: tracker, runner: runner)
/// let server = try OperationServer(api, configuration: .init(port: 8765))
/// print("listening on \(server.url)")
/// …
/// await tracker.close()      // the last endings go to everyone who watches
/// await server.stop()
/// ```
///
/// It speaks HTTP/1.1 without TLS, and a few threads serve all connections, whether they stream or not. On a loopback address it
/// finds out, once a connection, whether the client is a program of the same user (see `PeerUser`).
public final class OperationServer: Sendable {
    /// Where a server listens, and what it takes.
    public struct Configuration: Sendable {
        /// The address to listen on, or a name for it. Any that is not a loopback address needs a token.
        public var host: String
        /// The port to listen on; 0 for any free one.
        public var port: UInt16
        /// How many threads serve the connections, at least 1; as many as there are cores, up to 4, unless changed.
        public var threads: Int
        /// How many connections may be open. More have to wait until one is closed.
        public var maximumConnections = 8192
        /// How many of them one address may have, other than a loopback address. More are closed at once.
        public var maximumConnectionsPerAddress = 256
        /// How many bytes a request line and its header fields may have, 8 KB to 1 MB; what is beyond counts as that.
        ///
        /// A connection has a third more memory, which also holds 64 bytes for each field, query parameter and cookie, the
        /// cookies a second time, and the head of the answer. A request that leaves no room for that is refused (431) before
        /// anything is done: with the usual 12 KB, one of up to 9 KB may have 100 fields, parameters and cookies in all.
        public var maximumHeadBytes = 12 << 10
        /// How long a client may take for a whole request, from when the connection was opened or the last answer sent. Then the
        /// connection is closed, whether the client was slow or silent.
        public var requestTimeout: Duration = .seconds(30)
        /// How long a client that is sent something may take nothing of it, in whole seconds, at least 1. Then the connection is
        /// closed. An event stream with nothing to send isn't concerned.
        public var sendTimeout: Duration = .seconds(60)

        /// Makes the usual configuration.
        public init(host: String = "127.0.0.1", port: UInt16 = 0) {
            self.host = host
            self.port = port
            threads = min(4, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        }
    }

    /// The port it listens on.
    public let port: UInt16
    /// The address it listens on, such as `http://127.0.0.1:8765`.
    public let url: String

    private let listener: Int32
    private let daemon: Daemon
    private let handler: RequestHandler
    private let sweeping: Task<Void, Never>
    private let isStopped = Atomic(false)
    /// The last endings are gathered for as long before they are sent.
    private let streamGrace: Duration

    /// Starts to listen and to answer.
    ///
    /// - Parameters:
    ///   - api: what answers.
    ///   - configuration: where it listens, and what it takes.
    /// - Throws: ``ServerError``, with every code that it has.
    public init(_ api: OperationAPI, configuration: Configuration = Configuration()) throws(ServerError) {
        let (host, wanted) = (configuration.host, configuration.port)
        let listening = try ListeningPort(host: host, port: wanted, isProtected: api.configuration.token != nil)
        let table = ConnectionTable(
            limitPerAddress: configuration.maximumConnectionsPerAddress,
            requestTimeout: configuration.requestTimeout
        )
        let memory = ConnectionMemory(headLimit: configuration.maximumHeadBytes)
        let handler = RequestHandler(api, table: table, memory: memory)
        let limits = cmhd_limits(
            threads: UInt32(clamping: max(1, configuration.threads)),
            connections: UInt32(clamping: max(1, configuration.maximumConnections)),
            connection_memory: memory.size,
            send_timeout_seconds: UInt32(clamping: max(1, configuration.sendTimeout.components.seconds))
        )
        guard let daemon = Daemon(listeningOn: listening.descriptor, limits: limits, handler: handler) else {
            close(listening.descriptor)
            throw ServerError(.cannotListen, "The server's threads can't be started: the system has too few left.")
        }
        streamGrace = api.configuration.streamInterval * 2 + .milliseconds(100)
        let address = listening.address
        port = address.port
        url = "http://" + (address.family == AF_INET6 ? "[\(address.text)]" : address.text) + ":\(address.port)"
        listener = listening.descriptor
        self.daemon = daemon
        self.handler = handler
        sweeping = Task { await table.sweep() }
    }

    /// A server that is let go of stops, too, without grace.
    deinit {
        guard !isStopped.load(ordering: .acquiring) else { return }
        let (listener, daemon, handler, sweeping) = (listener, daemon, handler, sweeping)
        Task { await Self.stop(listener, daemon, handler, sweeping, within: .zero, forStreams: .zero) }
    }

    /// Takes no more connections, lets event streams end with what there is, waits for requests that are being answered, and then
    /// closes what is left. The second time it does nothing.
    ///
    /// Close the tracker or the API first where streams are to end with the last news; without that they are ended after half a
    /// second.
    ///
    /// - Parameter grace: how long it waits.
    public func stop(within grace: Duration = .seconds(5)) async {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        await Self.stop(listener, daemon, handler, sweeping, within: grace, forStreams: min(grace, streamGrace))
    }

    private static func stop(
        _ listener: Int32,
        _ daemon: Daemon,
        _ handler: RequestHandler,
        _ sweeping: Task<Void, Never>,
        within grace: Duration,
        forStreams streamGrace: Duration
    ) async {
        daemon.stopAccepting()
        // So that clients are refused instead of waiting for somebody to accept.
        shutdown(listener, Int32(SHUT_RDWR))
        let start = ContinuousClock.now
        await wait(for: handler, until: start + streamGrace)
        handler.lot.close(to: .requests)
        await wait(for: handler, until: start + grace)
        handler.lot.close(to: .nobody)
        await daemon.stop()
        close(listener)
        sweeping.cancel()
    }

    private static func wait(for handler: RequestHandler, until deadline: ContinuousClock.Instant) async {
        while handler.workingCount > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(5), clock: .continuous)
        }
    }
}
