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
    private var chunks: HTTPBody.AsyncIterator
    private var parser = ServerSentEventParser()
    private var waiting: [ServerSentEvent] = []
    /// What a stream that goes on where this one ended has to be asked for.
    private(set) var lastID: String?

    init(_ body: HTTPBody) {
        chunks = body.makeAsyncIterator()
    }

    /// The next event about operations; `nil` at the stream's end.
    mutating func next() async throws -> ServerEvent? {
        while true {
            while !waiting.isEmpty {
                let event = waiting.removeFirst()
                lastID = event.id
                if let event = try Self.decoded(event) { return event }
            }
            guard let chunk = try await chunks.next() else { return nil }
            waiting = try parser.append(chunk)
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
