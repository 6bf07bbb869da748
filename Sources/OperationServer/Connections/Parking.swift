import CMicroHTTPD
import Synchronization

/// libmicrohttpd's name for a connection.
///
/// `@unchecked`: away from the connection's own thread it is used for `MHD_resume_connection` alone, which any thread may call, and
/// only while the connection is suspended; until it is resumed nothing closes it but `MHD_stop_daemon`, before which all are.
struct ConnectionHandle: @unchecked Sendable {
    let pointer: OpaquePointer
}

/// Lets libmicrohttpd leave a connection alone until there is something to send on it.
final class Parking: Sendable {
    private enum State {
        case running
        /// Woken while it ran, so it has to look again before it parks.
        case rung
        case parked(ConnectionHandle)
    }

    private let state = Mutex(State.running)

    /// Suspends the connection, on its own thread.
    ///
    /// - Returns: `false`, and does nothing, when it was woken since it last looked.
    fileprivate func park(_ connection: ConnectionHandle) -> Bool {
        state.withLock { state in
            if case .rung = state {
                state = .running
                return false
            }
            MHD_suspend_connection(connection.pointer)
            state = .parked(connection)
            return true
        }
    }

    /// Has the connection looked at again, from any thread.
    func wake() {
        state.withLock { state in
            guard case .parked(let connection) = state else {
                state = .rung
                return
            }
            state = .running
            MHD_resume_connection(connection.pointer)
        }
    }
}

/// Where connections are parked, so that a server that stops can find them all: libmicrohttpd can't be stopped before.
final class ParkingLot: Sendable {
    /// Who may park.
    enum Opening: Comparable {
        case nobody
        case requests
        case everyone
    }

    enum Outcome {
        case parked
        /// There is news: look first.
        case rung
        /// The server stops.
        case closed
    }

    private struct State {
        var opening = Opening.everyone
        var members: [ObjectIdentifier: Parking] = [:]
    }

    private let state = Mutex(State())

    /// - Parameter opening: how far the lot has to be open for it.
    func park(_ parking: Parking, _ connection: ConnectionHandle, ifOpenFor opening: Opening) -> Outcome {
        let isOpen = state.withLock { state in
            guard state.opening >= opening else { return false }
            state.members[ObjectIdentifier(parking)] = parking
            return true
        }
        guard isOpen else { return .closed }
        // One who closes the lot at this moment has found it among the members, and wakes it.
        return parking.park(connection) ? .parked : .rung
    }

    func leave(_ parking: Parking) {
        state.withLock { _ = $0.members.removeValue(forKey: ObjectIdentifier(parking)) }
    }

    /// Narrows who may park, and wakes all who do.
    func close(to opening: Opening) {
        let members = state.withLock { state in
            state.opening = min(state.opening, opening)
            return Array(state.members.values)
        }
        for member in members { member.wake() }
    }
}
