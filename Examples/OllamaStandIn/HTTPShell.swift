import CMicroHTTPD

/// Carries requests from libmicrohttpd to the router and answers back. Each connection has a thread of its own, which
/// may wait in here.
final class HTTPShell: Sendable {
    static let bodyLimit = 1 << 20

    private let router: Router
    private let activity: Activity

    init(router: Router, activity: Activity) {
        self.router = router
        self.activity = activity
    }

    /// Starts to listen; the caller keeps this object until it has stopped the daemon.
    func start(port: UInt16) -> OpaquePointer? {
        let flags =
            MHD_USE_THREAD_PER_CONNECTION.rawValue | MHD_USE_INTERNAL_POLLING_THREAD.rawValue | MHD_USE_POLL.rawValue
        let context = Unmanaged.passUnretained(self).toOpaque()
        return cmhd_start_on_loopback(flags, port, requestReceived, context, requestCompleted, nil)
    }

    fileprivate func respond(_ method: String, _ path: String, _ body: RequestBody, on connection: OpaquePointer)
        -> MHD_Result
    {
        activity.sawRequest("\(method) \(path)")
        guard !body.isTooLong else {
            return queue(.refusal(413, "request body is longer than \(Self.bodyLimit) bytes"), on: connection)
        }
        switch router.answer(method: method, path: path, body: body.bytes) {
        case .whole(let answer):
            return queue(answer, on: connection)
        case .pull(let name, let events, let streams):
            let client = ClientWatch(socket: cmhd_connection_socket(connection))
            let player = PullPlayer(of: name, events, store: router.store, activity: activity, client: client)
            return streams ? stream(player, on: connection) : sendEnd(of: player, on: connection)
        }
    }

    private func queue(_ answer: WholeAnswer, on connection: OpaquePointer) -> MHD_Result {
        var body = answer.body
        let response = body.withUTF8 {
            MHD_create_response_from_buffer(
                $0.count,
                UnsafeMutableRawPointer(mutating: $0.baseAddress),
                .RESPMEM_MUST_COPY
            )
        }
        guard let response else { return .NO }
        defer { MHD_destroy_response(response) }
        MHD_add_response_header(response, "Content-Type", answer.contentType)
        if let allow = answer.allow { MHD_add_response_header(response, "Allow", allow) }
        return MHD_queue_response(connection, UInt32(answer.status), response)
    }

    private func stream(_ player: PullPlayer, on connection: OpaquePointer) -> MHD_Result {
        let context = Unmanaged.passRetained(ChunkReader(player)).toOpaque()
        let response = MHD_create_response_from_callback(cmhd_size_unknown(), 32_768, readChunk, context, releaseReader)
        guard let response else {
            releaseReader(context: context)
            return .NO
        }
        defer { MHD_destroy_response(response) }
        MHD_add_response_header(response, "Content-Type", "application/x-ndjson")
        return MHD_queue_response(connection, 200, response)
    }

    /// `"stream": false`: nothing until the end, then the last line alone.
    private func sendEnd(of player: PullPlayer, on connection: OpaquePointer) -> MHD_Result {
        var last: [UInt8] = []
        while true {
            switch player.next() {
            case .bytes(let bytes):
                last = bytes
            case .broken:
                return .NO
            case .end:
                if last.last == UInt8(ascii: "\n") { last.removeLast() }
                let body = String(decoding: last, as: UTF8.self)
                let status = body.hasPrefix(#"{"error":"#) ? 500 : 200
                return queue(WholeAnswer(status: status, contentType: "application/json", body: body), on: connection)
            }
        }
    }
}

/// A request's body as it comes in. Used by its connection's thread alone.
private final class RequestBody {
    private(set) var bytes: [UInt8] = []
    private(set) var isTooLong = false

    func append(_ piece: UnsafeRawBufferPointer) {
        isTooLong = isTooLong || bytes.count + piece.count > HTTPShell.bodyLimit
        if !isTooLong { bytes.append(contentsOf: piece) }
    }
}

/// Hands a player's bytes to libmicrohttpd, one event a chunk, in pieces where one is too long for its buffer. Used by
/// its connection's thread alone.
private final class ChunkReader {
    private let player: PullPlayer
    private var pending: ArraySlice<UInt8> = []

    init(_ player: PullPlayer) {
        self.player = player
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while pending.isEmpty {
            switch player.next() {
            case .bytes(let bytes): pending = bytes[...]
            case .end: return cmhd_end_of_stream()
            case .broken: return cmhd_end_with_error()
            }
        }
        let piece = pending.prefix(buffer.count)
        buffer.copyBytes(from: piece)
        pending.removeFirst(piece.count)
        return piece.count
    }
}

// libmicrohttpd's callbacks. Functions of the file rather than closures: nothing of theirs can be inferred to belong to
// an actor.

/// Called first without a body, then for each piece of it, then once more when it is complete.
private func requestReceived(
    context: UnsafeMutableRawPointer?,
    connection: OpaquePointer?,
    url: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?,
    version: UnsafePointer<CChar>?,
    piece: UnsafePointer<CChar>?,
    pieceSize: UnsafeMutablePointer<Int>?,
    body: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let url, let method, let pieceSize, let body else { return .NO }
    guard let opaqueBody = body.pointee else {
        body.pointee = Unmanaged.passRetained(RequestBody()).toOpaque()
        return .YES
    }
    let requestBody = Unmanaged<RequestBody>.fromOpaque(opaqueBody).takeUnretainedValue()
    guard pieceSize.pointee == 0 else {
        requestBody.append(UnsafeRawBufferPointer(start: piece, count: pieceSize.pointee))
        pieceSize.pointee = 0
        return .YES
    }
    let shell = Unmanaged<HTTPShell>.fromOpaque(context).takeUnretainedValue()
    return shell.respond(String(cString: method), String(cString: url), requestBody, on: connection)
}

private func requestCompleted(
    context: UnsafeMutableRawPointer?,
    connection: OpaquePointer?,
    body: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    reason: MHD_RequestTerminationCode
) {
    guard let opaqueBody = body?.pointee else { return }
    Unmanaged<RequestBody>.fromOpaque(opaqueBody).release()
    body?.pointee = nil
}

private func readChunk(
    context: UnsafeMutableRawPointer?,
    position: UInt64,
    buffer: UnsafeMutablePointer<CChar>?,
    size: Int
) -> Int {
    guard let context else { return cmhd_end_with_error() }
    let reader = Unmanaged<ChunkReader>.fromOpaque(context).takeUnretainedValue()
    return reader.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
}

private func releaseReader(context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<ChunkReader>.fromOpaque(context).release()
}
