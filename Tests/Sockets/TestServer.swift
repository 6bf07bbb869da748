import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A server on loopback that does exactly what a script says, byte by byte.
///
/// Each connection has its own thread, on which the script runs; when it returns or throws, the connection is closed. The server stops
/// listening when it is let go of.
public final class TestServer: Sendable {
    /// The port it listens on.
    public let port: Int
    private let listener: Listener

    /// A server that runs `script` over every connection.
    /// - Parameter receiveBuffer: how many bytes the system may take in before the script reads them; its own choice unless given.
    public init(receiveBuffer: Int? = nil, _ script: @escaping @Sendable (TestConnection) throws -> Void) throws {
        let (descriptor, port) = try Socket.listening(backlog: 64, receiveBuffer: receiveBuffer)
        self.port = port
        listener = Listener(descriptor: descriptor)
        Self.runOnThread { [listener] in listener.serve(script) }
    }

    deinit {
        listener.stop(port: port)
    }

    /// How many connections it has taken so far.
    public var connectionCount: Int { listener.connectionCount }

    /// The URL of `path`, which begins with a slash.
    public func url(_ path: String = "/") -> String {
        "http://127.0.0.1:\(port)\(path)"
    }

    /// A port on which nothing listens. It stays bound until the tests end, so that the system gives it to nobody else; a server
    /// that allows its address to be used again, as Python's does, can take it.
    public static func unusedPort() throws -> Int { try Socket.reservedPort() }

    fileprivate static func runOnThread(_ body: @escaping @Sendable () -> Void) {
        // A queue of its own gets a thread of its own; scripts may block for as long as they like.
        DispatchQueue(label: "test-server").async(execute: body)
    }
}

private final class Listener: Sendable {
    private struct State {
        var isStopped = false
        var connectionCount = 0
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    var connectionCount: Int { state.withLock { $0.connectionCount } }

    func serve(_ script: @escaping @Sendable (TestConnection) throws -> Void) {
        defer { close(descriptor) }
        while true {
            let accepted = accept(descriptor, nil, nil)
            let isStopped = state.withLock { state in
                if !state.isStopped { state.connectionCount += 1 }
                return state.isStopped
            }
            guard accepted >= 0, !isStopped else {
                close(accepted)
                return
            }
            TestServer.runOnThread {
                let connection = TestConnection(descriptor: accepted)
                // A script ends by throwing whenever the client has gone, which is often what is tested.
                try? script(connection)
                connection.close()
            }
        }
    }

    /// Wakes the thread that accepts by a connection of our own, the one way that works on Linux and macOS.
    func stop(port: Int) {
        state.withLock { $0.isStopped = true }
        guard let descriptor = try? Socket.make() else { return }
        Socket.connect(descriptor, toPort: port)
        close(descriptor)
    }
}

/// A port that is listened on, and where no connection ever comes about: its queue is full.
public final class UnreachablePort: Sendable {
    /// The port.
    public let port: Int
    private let descriptors: [Int32]

    /// Listens, and fills the queue.
    public init() throws {
        let (listener, port) = try Socket.listening(backlog: 0)
        self.port = port
        let fillers = try (0..<4).map { _ in
            let descriptor = try Socket.make()
            Socket.setNonBlocking(descriptor)
            Socket.connect(descriptor, toPort: port)
            return descriptor
        }
        descriptors = [listener] + fillers
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }
}
