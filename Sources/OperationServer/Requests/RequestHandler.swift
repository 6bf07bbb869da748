import CMicroHTTPD
import OperationHTTP
import Synchronization

/// Carries requests from libmicrohttpd to the API, and answers back.
///
/// What the API can answer at once is answered on the connection's thread, which serves many connections. For anything else the
/// connection is parked, and a task waits.
final class RequestHandler: Sendable {
    let table: ConnectionTable
    let lot = ParkingLot()
    private let api: OperationAPI
    private let memory: ConnectionMemory
    private let working = Atomic(0)

    /// - Parameter memory: what libmicrohttpd was given for each connection.
    init(_ api: OperationAPI, table: ConnectionTable, memory: ConnectionMemory) {
        self.api = api
        self.table = table
        self.memory = memory
    }

    /// How many requests are there as a whole and not answered to the last byte.
    var workingCount: Int { working.load(ordering: .relaxed) }

    /// One of libmicrohttpd's calls for a request: the first when the head is there, one for each piece of the body, one more when
    /// the request is whole, and another each time a parked connection is woken without an answer.
    ///
    /// - Returns: `.NO` to break the connection off.
    func received(
        _ exchange: Exchange,
        method: UnsafePointer<CChar>,
        version: UnsafePointer<CChar>,
        piece: UnsafeRawBufferPointer,
        on connection: OpaquePointer
    ) -> MHD_Result {
        switch exchange.stage {
        case .begun:
            let line = RequestLine(start: method, targetEnd: exchange.targetEnd, version: version)
            return readHead(exchange, line, String(cString: method), on: connection)
        case .body where !piece.isEmpty:
            return readBody(exchange, String(cString: method), piece, on: connection)
        case .body:
            return answer(exchange, String(cString: method), on: connection)
        case .refused:
            return letPass(exchange, piece)
        case .waiting(let late):
            return wait(for: late, exchange, on: connection)
        case .answered:
            return .NO
        }
    }

    /// The answer is sent, or the client is gone.
    func completed(_ exchange: Exchange, client: ClientConnection?) {
        lot.leave(exchange.parking)
        client?.requestIsAnswered()
        switch exchange.stage {
        case .begun, .body, .refused: break
        case .waiting, .answered: working.subtract(1, ordering: .relaxed)
        }
    }

    private func readHead(
        _ exchange: Exchange,
        _ line: RequestLine,
        _ method: String,
        on connection: OpaquePointer
    ) -> MHD_Result {
        let head = RequestHead(of: connection, line)
        let length = head.contentLength ?? 0
        exchange.headers = head.headers
        exchange.spareMemory = head.spare(of: memory)
        if let problem = RequestTarget.problem(withLengthOf: exchange.target) ?? head.problem(in: memory) {
            let response = api.refusal(of: request(exchange, method, on: connection), for: problem)
            return refuse(exchange, head, method, response, on: connection)
        }
        guard length <= api.configuration.maximumBodyBytes else {
            return refuse(exchange, head, method, tooLarge(exchange, method, on: connection), on: connection)
        }
        // A small body is there already, mostly; a connection that it is read from can go on after a refusal.
        if length > Self.smallBody || head.isChunked,
            let refusal = api.refuse(head: request(exchange, method, on: connection))
        {
            return refuse(exchange, head, method, refusal, on: connection)
        }
        exchange.expectBody(length)
        exchange.stage = .body
        return .YES
    }

    private static let smallBody = 4096

    /// Refuses a request because of its head, and ends the connection after that.
    private func refuse(
        _ exchange: Exchange,
        _ head: RequestHead,
        _ method: String,
        _ response: APIResponse,
        on connection: OpaquePointer
    ) -> MHD_Result {
        guard exchange.spareMemory < 0 || (head.hasBody && !head.expectsContinue) else {
            // libmicrohttpd closes after an answer that comes so early.
            begin(exchange, on: connection)
            return send(response, exchange, on: connection)
        }
        sendLastWord(response, exchange, method, on: connection)
        return .YES
    }

    private func tooLarge(_ exchange: Exchange, _ method: String, on connection: OpaquePointer) -> APIResponse {
        api.tooLargeResponse(to: request(exchange, method, on: connection))
    }

    /// Answers a client that is sending, or one whose head has left libmicrohttpd no room for an answer. What it still sends has
    /// to pass: were the connection closed with bytes unread, the system would take back the answer, too.
    private func sendLastWord(
        _ response: APIResponse,
        _ exchange: Exchange,
        _ method: String,
        on connection: OpaquePointer
    ) {
        exchange.stage = .refused
        Self.client(of: connection)?.sendLastWord(response, withBody: method != "HEAD")
    }

    /// For a while, since a client need not notice.
    private func letPass(_ exchange: Exchange, _ piece: UnsafeRawBufferPointer) -> MHD_Result {
        exchange.bodySize += piece.count
        return !piece.isEmpty && exchange.bodySize <= 16 * api.configuration.maximumBodyBytes ? .YES : .NO
    }

    private func request(_ exchange: Exchange, _ method: String, on connection: OpaquePointer) -> APIRequest {
        APIRequest(
            method: method,
            target: exchange.target,
            headers: exchange.headers,
            body: exchange.body,
            caller: Self.client(of: connection)?.caller ?? .unknown
        )
    }

    /// The whole of a body that is a little too long is read, and then answered. A client that sends more without having said how
    /// much is answered while it sends.
    private func readBody(
        _ exchange: Exchange,
        _ method: String,
        _ piece: UnsafeRawBufferPointer,
        on connection: OpaquePointer
    ) -> MHD_Result {
        let limit = api.configuration.maximumBodyBytes
        exchange.append(piece, limit: limit)
        if exchange.bodySize > 2 * limit {
            sendLastWord(tooLarge(exchange, method, on: connection), exchange, method, on: connection)
        }
        return .YES
    }

    private func answer(_ exchange: Exchange, _ method: String, on connection: OpaquePointer) -> MHD_Result {
        guard trailerSize(on: connection) <= exchange.spareMemory else {
            let problem = APIProblem(
                431,
                "trailer_too_long",
                "The fields behind the body leave no room for the answer: leave them out, nobody looks at them."
            )
            let response = api.refusal(of: request(exchange, method, on: connection), for: problem)
            sendLastWord(response, exchange, method, on: connection)
            return .YES
        }
        begin(exchange, on: connection)
        guard exchange.bodySize <= api.configuration.maximumBodyBytes else {
            return send(tooLarge(exchange, method, on: connection), exchange, on: connection)
        }
        switch api.answer(to: request(exchange, method, on: connection)) {
        case .now(let response):
            return send(response, exchange, on: connection)
        case .later(let response):
            let late = LateAnswer(for: exchange.parking)
            exchange.stage = .waiting(late)
            Task { late.set(await response()) }
            return wait(for: late, exchange, on: connection)
        }
    }

    /// Takes the exchange for one that is worked on.
    private func begin(_ exchange: Exchange, on connection: OpaquePointer) {
        Self.client(of: connection)?.requestIsComplete()
        working.add(1, ordering: .relaxed)
        exchange.stage = .answered
    }

    private func wait(for late: LateAnswer, _ exchange: Exchange, on connection: OpaquePointer) -> MHD_Result {
        while true {
            if let response = late.take() { return send(response, exchange, on: connection) }
            let handle = ConnectionHandle(pointer: connection)
            switch lot.park(exchange.parking, handle, ifOpenFor: .requests) {
            case .parked: return .YES
            case .rung: continue
            case .closed: return .NO
            }
        }
    }

    private func send(_ response: APIResponse, _ exchange: Exchange, on connection: OpaquePointer) -> MHD_Result {
        exchange.stage = .answered
        guard let queued = body(of: response, exchange, on: connection) else { return .NO }
        defer { MHD_destroy_response(queued) }
        for header in response.headers { MHD_add_response_header(queued, header.name, header.value) }
        return MHD_queue_response(connection, UInt32(clamping: response.status), queued)
    }

    private func body(of response: APIResponse, _ exchange: Exchange, on connection: OpaquePointer) -> OpaquePointer? {
        switch response.body {
        case .bytes(let bytes):
            // libmicrohttpd says the length of the body and doesn't ask for it.
            switch response.unsentBody {
            case .length(let length):
                return MHD_create_response_from_callback(UInt64(length), 1024, readNothing, nil, nil)
            case .stream:
                let made = MHD_create_response_from_callback(cmhd_size_unknown(), 1024, readNothing, nil, nil)
                // libmicrohttpd 0.9 sends the end of a chunked body also in answer to HEAD.
                if let made { cmhd_end_by_closing(made) }
                return made
            case nil: break
            }
            return bytes.withUnsafeBytes {
                MHD_create_response_from_buffer(
                    $0.count,
                    UnsafeMutableRawPointer(mutating: $0.baseAddress),
                    .RESPMEM_MUST_COPY
                )
            }
        case .stream(let stream):
            let handle = ConnectionHandle(pointer: connection)
            let client = Self.client(of: connection)
            client?.streamBegins(exchange.parking)
            let sender = StreamSender(stream, on: handle, of: client, exchange.parking, in: lot)
            let context = Unmanaged.passRetained(sender).toOpaque()
            // The block is what a client of HTTP/1.0 gets at a time; others are sent chunks as large as there is room for.
            let made = MHD_create_response_from_callback(cmhd_size_unknown(), 1024, readStream, context, releaseStream)
            if made == nil { releaseStream(context) }
            return made
        }
    }

    /// The client whose connection it is, on the connection's own thread.
    static func client(of connection: OpaquePointer) -> ClientConnection? {
        cmhd_connection_context(connection).map {
            Unmanaged<ClientConnection>.fromOpaque($0).takeUnretainedValue()
        }
    }
}

private func readStream(
    context: UnsafeMutableRawPointer?,
    position: UInt64,
    buffer: UnsafeMutablePointer<CChar>?,
    size: Int
) -> Int {
    guard let context else { return cmhd_end_with_error() }
    let sender = Unmanaged<StreamSender>.fromOpaque(context).takeUnretainedValue()
    return sender.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
}

private func readNothing(
    context: UnsafeMutableRawPointer?,
    position: UInt64,
    buffer: UnsafeMutablePointer<CChar>?,
    size: Int
) -> Int {
    cmhd_end_with_error()
}

private func releaseStream(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<StreamSender>.fromOpaque(context).release()
}
