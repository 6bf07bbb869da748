import OperationHTTP
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One request, from its first line until its answer is sent. It belongs to its connection's thread.
final class Exchange {
    /// How far it is.
    enum Stage {
        /// The request line is there, the header fields may not be.
        case begun
        /// The body comes in.
        case body
        /// The client has its answer, and may still be sending the body.
        case refused
        /// Somebody works on the answer.
        case waiting(LateAnswer)
        /// The answer is libmicrohttpd's.
        case answered
    }

    /// The target as it stood in the request line.
    let target: String
    /// Where the target ended in libmicrohttpd's buffer; not valid any more once the head has been read.
    let targetEnd: UnsafePointer<CChar>?
    let parking = Parking()
    var stage = Stage.begun
    var headers: [APIHeader] = []
    /// What the head leaves of the connection's memory; see ``ConnectionMemory/spare(headSize:valueCount:cookieSize:)``.
    var spareMemory = 0
    private(set) var body: [UInt8] = []
    /// How many bytes of the body have come.
    var bodySize = 0

    init(target: UnsafePointer<CChar>?) {
        let bytes = UnsafeBufferPointer(start: target, count: target.map { strlen($0) } ?? 0)
        self.target = String(decoding: UnsafeRawBufferPointer(bytes), as: UTF8.self)
        targetEnd = target.map { $0 + bytes.count }
    }

    /// Makes room for a body whose length is known.
    func expectBody(_ count: Int) { body.reserveCapacity(count) }

    /// Takes a piece of the body, and keeps it as long as there is not too much.
    func append(_ piece: UnsafeRawBufferPointer, limit: Int) {
        bodySize += piece.count
        if bodySize <= limit { body.append(contentsOf: piece) } else { body = [] }
    }
}

/// An answer that somebody works on, and the connection that waits for it.
final class LateAnswer: Sendable {
    private let answer = Mutex<APIResponse?>(nil)
    private let parking: Parking

    init(for parking: Parking) {
        self.parking = parking
    }

    func set(_ response: APIResponse) {
        answer.withLock { $0 = response }
        parking.wake()
    }

    func take() -> APIResponse? {
        answer.withLock { $0.take() }
    }
}
