import OperationHTTP
import ServiceControl
import Synchronization

/// The open connections: how many an address has, and which of them don't send what they owe.
final class ConnectionTable: Sendable {
    private struct State {
        var connections: [ObjectIdentifier: ClientConnection] = [:]
        var countByAddress: [String: Int] = [:]
    }

    private let limitPerAddress: Int
    private let requestTimeout: Duration
    private let state = Mutex(State())

    init(limitPerAddress: Int, requestTimeout: Duration) {
        self.limitPerAddress = limitPerAddress
        self.requestTimeout = requestTimeout
    }

    /// Whether an address may open one more. Programs on this machine share an address with each other and with a proxy's
    /// clients, so they are only counted all together.
    func hasRoom(for address: String) -> Bool {
        if IPAddress(address)?.isLoopback == true { return true }
        return state.withLock { $0.countByAddress[address, default: 0] < limitPerAddress }
    }

    func insert(_ connection: ClientConnection) {
        state.withLock { state in
            state.connections[ObjectIdentifier(connection)] = connection
            state.countByAddress[connection.caller.address, default: 0] += 1
        }
    }

    /// Forgets a connection. Its socket may be closed after this and not before.
    func remove(_ connection: ClientConnection) {
        state.withLock { state in
            guard state.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
            let address = connection.caller.address
            let left = state.countByAddress[address, default: 1] - 1
            state.countByAddress[address] = left > 0 ? left : nil
        }
    }

    /// Breaks off the connections that owe a request for too long, and looks for clients of streams that have hung up, until the
    /// task is cancelled.
    ///
    /// libmicrohttpd's own timeout begins anew with every byte, so a client that sends one now and then would stay for ever.
    func sweep() async {
        var hasStreams = false
        while true {
            let pause = hasStreams ? min(Self.hangUpInterval, requestTimeout / 4) : requestTimeout / 4
            do {
                try await Task.sleep(for: pause, tolerance: pause / 2, clock: .continuous)
            } catch {
                return
            }
            let now = ContinuousClock.now
            hasStreams = state.withLock { state in
                var hasStreams = false
                // Under the lock: none of these sockets can be closed meanwhile, and their numbers be another's.
                for connection in state.connections.values {
                    if connection.isTooSlow(at: now, limit: requestTimeout) { connection.breakOff() }
                    guard connection.hasStream else { continue }
                    hasStreams = true
                    connection.lookForHangUp()
                }
                return hasStreams
            }
        }
    }

    private static let hangUpInterval: Duration = .seconds(1)
}
