#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// The operations of a data directory as they are known now: those of its server, which tells of every change, and those of
/// other programs, of which the history tells that they run.
struct OperationBoard: Sendable, Equatable {
    /// Those of the server, by id; those that have ended lately among them.
    private var ofServer: [OperationID: BackgroundOperation] = [:]
    /// Those of other programs.
    private var ofOthers: [BackgroundOperation] = []
    /// Those that have ended while it was looked, the latest first.
    private(set) var ended: [BackgroundOperation] = []
    /// Where the server is; `nil` while there is none that answers.
    var url: String?
    /// Where a server is that runs and doesn't answer.
    var silent: String?

    /// How many of those that have ended are kept.
    private static let endedLimit = 5

    /// A row of the board.
    struct Row: Equatable {
        var operation: BackgroundOperation
        /// How many it is a part of, one in the other.
        var depth: Int
        /// Whether another program than the server runs it, so that it is known as far as its program has written it into the history.
        var isOthers: Bool
    }

    /// The active ones, each with its parts behind it, the oldest first.
    var rows: [Row] {
        let others = Set(ofOthers.map(\.id))
        let all = (ofServer.values + ofOthers).sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        let known = Set(all.map(\.id))
        let parts = Dictionary(grouping: all) { $0.parentID.flatMap { known.contains($0) ? $0 : nil } }
        func rows(under parent: OperationID?, depth: Int) -> [Row] {
            // Parts of parts of parts are rare; a circle would be an error somewhere else, and is not followed for ever.
            guard depth < 8 else { return [] }
            return (parts[parent] ?? []).flatMap { operation in
                [Row(operation: operation, depth: depth, isOthers: others.contains(operation.id))]
                    + rows(under: operation.id, depth: depth + 1)
            }
        }
        return rows(under: nil, depth: 0)
    }

    /// Takes what a server tells.
    mutating func take(_ event: ServerEvent) {
        switch event {
        case .snapshot(let operations):
            ofServer = Dictionary(operations.map { ($0.id, $0) }) { $1 }
        case .operation(let operation, .finished):
            ofServer[operation.id] = nil
            end(operation)
        case .operation(let operation, _):
            ofServer[operation.id] = operation
        }
        ofOthers.removeAll { ofServer[$0.id] != nil }
    }

    /// Takes the active operations that the history has, as they are by now.
    mutating func take(history records: [OperationRecord], at now: Date) {
        let hasEnded = Set(ended.map(\.id))
        ofOthers = records.map { $0.read(at: now).operation }
            .filter { ofServer[$0.id] == nil && !hasEnded.contains($0.id) }
    }

    /// Takes the ending of an operation of another program.
    mutating func end(_ operation: BackgroundOperation) {
        ofOthers.removeAll { $0.id == operation.id }
        guard !ended.contains(where: { $0.id == operation.id }) else { return }
        ended = [operation] + ended.prefix(Self.endedLimit - 1)
    }

    /// Those of other programs, to see which of them have ended.
    var othersIDs: Set<OperationID> { Set(ofOthers.map(\.id)) }

    /// Without a server nobody tells of its operations any more.
    mutating func loseServer() {
        url = nil
        ofServer = [:]
    }
}
