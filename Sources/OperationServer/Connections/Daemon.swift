import CMicroHTTPD
import OperationTracking
import Synchronization

/// libmicrohttpd at work: its threads, and the calls that it makes.
///
/// `@unchecked`: the pointer is set once, and what is done with it, `MHD_quiesce_daemon` and then `MHD_stop_daemon`, once each by
/// ``OperationServer/stop(within:)``.
final class Daemon: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let context: Unmanaged<RequestHandler>

    /// Serves the connections that come to a socket which listens.
    init?(listeningOn descriptor: Int32, limits: cmhd_limits, handler: RequestHandler) {
        let context = Unmanaged.passRetained(handler)
        let callbacks = cmhd_callbacks(
            context: context.toOpaque(),
            accept_policy: mayConnect,
            connection_changed: connectionChanged,
            request_began: requestBegan,
            request_received: requestReceived,
            request_completed: requestCompleted
        )
        guard let pointer = cmhd_start_on_socket(descriptor, callbacks, limits) else {
            context.release()
            return nil
        }
        self.pointer = pointer
        self.context = context
    }

    /// Takes no more connections. The socket stays the caller's.
    func stopAccepting() { MHD_quiesce_daemon(pointer) }

    /// Ends all connections, none of which may be parked, and the threads.
    func stop() async {
        await withCheckedContinuation { continuation in
            let stop: @Sendable () -> Void = {
                MHD_stop_daemon(self.pointer)
                self.context.release()
                continuation.resume()
            }
            // It waits for other threads, which a task must not.
            if !BlockingThread.run(stop) { stop() }
        }
    }
}

// libmicrohttpd's calls. Functions of the file rather than closures: nothing of theirs can be inferred to belong to an actor.

private func handler(_ context: UnsafeMutableRawPointer) -> RequestHandler {
    Unmanaged<RequestHandler>.fromOpaque(context).takeUnretainedValue()
}

private func mayConnect(
    context: UnsafeMutableRawPointer?,
    address: UnsafePointer<sockaddr>?,
    size: socklen_t
) -> MHD_Result {
    guard let context, let address else { return .NO }
    return handler(context).table.hasRoom(for: SocketAddress.text(address, size) ?? "unknown") ? .YES : .NO
}

private func connectionChanged(
    context: UnsafeMutableRawPointer?,
    connection: OpaquePointer?,
    client: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    change: MHD_ConnectionNotificationCode
) {
    guard let context, let connection, let client else { return }
    let table = handler(context).table
    // Called when a connection begins, when there is nothing to it yet, and when it has ended.
    if let opaque = client.pointee {
        client.pointee = nil
        table.remove(Unmanaged<ClientConnection>.fromOpaque(opaque).takeRetainedValue())
    } else {
        let opened = ClientConnection(descriptor: cmhd_connection_socket(connection))
        table.insert(opened)
        client.pointee = Unmanaged.passRetained(opened).toOpaque()
    }
}

/// Called with the request line's target before anything is done with it; what it returns goes with the request.
private func requestBegan(
    context: UnsafeMutableRawPointer?,
    target: UnsafePointer<CChar>?,
    connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    Unmanaged.passRetained(Exchange(target: target)).toOpaque()
}

private func requestReceived(
    context: UnsafeMutableRawPointer?,
    connection: OpaquePointer?,
    url: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?,
    version: UnsafePointer<CChar>?,
    piece: UnsafePointer<CChar>?,
    pieceSize: UnsafeMutablePointer<Int>?,
    exchange: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let method, let version, let pieceSize, let opaque = exchange?.pointee else {
        return .NO
    }
    let taken = UnsafeRawBufferPointer(start: piece, count: pieceSize.pointee)
    pieceSize.pointee = 0
    return handler(context).received(
        Unmanaged<Exchange>.fromOpaque(opaque).takeUnretainedValue(),
        method: method,
        version: version,
        piece: taken,
        on: connection
    )
}

private func requestCompleted(
    context: UnsafeMutableRawPointer?,
    connection: OpaquePointer?,
    exchange: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    reason: MHD_RequestTerminationCode
) {
    guard let context, let connection, let opaque = exchange?.pointee else { return }
    exchange?.pointee = nil
    let ended = Unmanaged<Exchange>.fromOpaque(opaque).takeRetainedValue()
    handler(context).completed(ended, client: RequestHandler.client(of: connection))
}
