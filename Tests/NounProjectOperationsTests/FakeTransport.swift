import Foundation
import NounProjectOperations
import OperationTransfer
import Synchronization

/// Answers requests from a closure, and keeps what was asked.
final class FakeTransport: HTTPTransport {
    private let requests = Mutex<[HTTPRequest]>([])
    private let answer: @Sendable (HTTPRequest) async throws -> HTTPResponse

    init(_ answer: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse) {
        self.answer = answer
    }

    var sent: [HTTPRequest] { requests.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        requests.withLock { $0.append(request) }
        return try await answer(request)
    }
}

extension HTTPResponse {
    static func json(_ text: String, status: Int = 200, headers: HTTPHeaders = [:]) -> HTTPResponse {
        .bytes(Array(text.utf8), status: status, headers: headers)
    }

    static func bytes(_ bytes: [UInt8], status: Int = 200, headers: HTTPHeaders = [:]) -> HTTPResponse {
        let body = AsyncThrowingStream<[UInt8], any Error> { stream in
            if !bytes.isEmpty { stream.yield(bytes) }
            stream.finish()
        }
        return HTTPResponse(status: status, headers: headers, body: HTTPBody(body))
    }
}

extension HTTPRequest {
    /// The path, and the query's parameters, decoded.
    var target: (path: String, query: [String: String]) {
        let parts = URLComponents(string: url)
        let items = parts?.queryItems ?? []
        return (parts?.path ?? "", Dictionary(items.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { $1 }))
    }
}

extension NounProjectCredentials {
    static let test = try! NounProjectCredentials(key: "the-key", secret: "the-secret")
}
