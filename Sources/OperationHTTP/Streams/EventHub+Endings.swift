import OperationTracking
import Synchronization

/// Endings of which the log knows no more than which they were: a client that was slow or away for long gets them all the same.
extension EventHub {
    /// Reads endings again where operations are kept, and hands them to a client.
    func readAgain(_ endings: [EventLog.Ending], _ focus: Focus?, for key: UInt64) {
        Task { [weak self, tracker, text] in
            var bytes: [UInt8] = []
            var lacksEndings = false
            for ending in endings {
                if let record = await tracker.endedRecord(ending.id) {
                    bytes += focus?.format?(record) ?? text.ending(record.operation, ending)
                } else {
                    lacksEndings = true
                }
            }
            self?.deliver(bytes, lacksEndings: lacksEndings, to: key)
        }
    }

    private func deliver(_ bytes: [UInt8], lacksEndings: Bool, to key: UInt64) {
        let notify: (@Sendable () -> Void)? = state.withLock { state in
            guard var client = state.clients[key] else { return nil }
            client.reading = .none
            client.reader.lacksEndings = client.reader.lacksEndings || lacksEndings
            if !bytes.isEmpty { client.pieces.append(bytes) }
            let notify = client.notify
            client.notify = nil
            state.clients[key] = client
            return notify
        }
        notify?()
    }
}

extension OperationTracker {
    /// An operation that has ended, if it is still kept anywhere.
    fileprivate func endedRecord(_ id: OperationID) async -> OperationRecord? {
        if let record = currentRecord(id), record.operation.status.isTerminal { return record }
        guard let record = try? await history?.record(id), record.operation.status.isTerminal else { return nil }
        return record
    }
}
