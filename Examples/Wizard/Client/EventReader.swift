import OperationTracking
import OperationTransfer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What a server's event stream tells of operations.
enum ServerEvent: Sendable {
    /// All operations that are active there.
    case snapshot([BackgroundOperation])
    /// An operation that began, changed, or ended.
    case operation(BackgroundOperation, OperationEvent.Kind)
}

/// Reads an event stream of a server.
struct EventReader {
    private let chunks: Chunks
    private let clock: any TrackingClock
    private var parser = ServerSentEventParser()
    private var waiting: [ServerSentEvent] = []
    /// What a stream that goes on where this one ended has to be asked for.
    private(set) var lastID: String?

    /// A server sends something every 15 s, if only a comment. One that is silent for longer than this doesn't run, though its
    /// connections stand: it was stopped, or hangs.
    static let silence: Duration = .seconds(40)

    init(_ body: HTTPBody, clock: any TrackingClock = SystemTrackingClock()) {
        chunks = Chunks(body)
        self.clock = clock
    }

    /// The next event about operations; `nil` at the stream's end.
    ///
    /// - Throws: ``Overdue`` after ``silence``, and what reading throws.
    mutating func next() async throws -> ServerEvent? {
        while true {
            while !waiting.isEmpty {
                let event = waiting.removeFirst()
                lastID = event.id
                if let event = try Self.decoded(event) { return event }
            }
            guard let chunk = try await within(Self.silence, on: clock, { [chunks] in try await chunks.next() })
            else { return nil }
            waiting = try parser.append(chunk)
        }
    }

    /// A body that is read in a task of its own, so that the reading can be given up.
    private actor Chunks {
        private let iterator: HTTPBody.AsyncIterator

        init(_ body: HTTPBody) {
            iterator = body.makeAsyncIterator()
        }

        func next() async throws -> [UInt8]? {
            // Where it is in the body, the body knows itself.
            var iterator = iterator
            return try await iterator.next(isolation: self)
        }
    }

    private static func decoded(_ event: ServerSentEvent) throws -> ServerEvent? {
        struct Snapshot: Decodable { let operations: [WireOperation] }
        struct Ending: Decodable { let durable: Bool? }
        let data = event.data
        switch event.name {
        case "snapshot":
            return .snapshot(try Wire.read(Snapshot.self, from: data).operations.map(\.operation))
        case "started":
            return .operation(try Wire.read(WireOperation.self, from: data).operation, .started)
        case "updated":
            return .operation(try Wire.read(WireOperation.self, from: data).operation, .updated)
        case "finished":
            let isDurable = try Wire.read(Ending.self, from: data).durable ?? true
            let operation = try Wire.read(WireOperation.self, from: data).operation
            return .operation(operation, .finished(durable: isDurable))
        default:
            return nil
        }
    }
}
