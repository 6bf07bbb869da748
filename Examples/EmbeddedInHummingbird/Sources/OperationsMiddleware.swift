import HTTPTypes
import Hummingbird
import OperationHTTP
import ServiceLifecycle

/// Answers what the API has an answer for, and leaves the rest to the service's own routes.
struct OperationsMiddleware<Context: RequestContext>: RouterMiddleware {
    let api: OperationAPI

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard api.serves(request.head.path ?? "/") else { return try await next(request, context) }
        // Hummingbird keeps Host apart from the other fields.
        let host = request.head.authority.map { [APIHeader("Host", $0)] } ?? []
        var asked = APIRequest(
            method: request.method.rawValue,
            target: request.head.path ?? "/",
            headers: host + request.headers.map { APIHeader($0.name.rawName, $0.value) }
        )
        // Of a client that may not ask, no body is kept.
        if let refusal = api.refuse(head: asked) { return Self.response(refusal) }
        do {
            var request = request
            let body = try await request.collectBody(upTo: api.configuration.maximumBodyBytes)
            asked.body = Array(body.readableBytesView)
        } catch let error as any HTTPResponseError where error.status == .contentTooLarge {
            return Self.response(api.tooLargeResponse(to: asked))
        }
        return Self.response(await api.respond(to: asked))
    }

    private static func response(_ answer: APIResponse) -> Response {
        var headers = HTTPFields()
        for header in answer.headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            headers.append(HTTPField(name: name, value: header.value))
        }
        let body =
            switch answer.body {
            case .bytes(let bytes): ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            case .stream(let stream):
                ResponseBody { writer in
                    // A server that stops waits for its connections, so streams have to end first.
                    try await withGracefulShutdownHandler {
                        while let piece = await stream.next() { try await writer.write(ByteBuffer(bytes: piece)) }
                    } onGracefulShutdown: {
                        stream.cancel()
                    }
                    try await writer.finish(nil)
                }
            }
        return Response(status: .init(code: answer.status), headers: headers, body: body)
    }
}
