import OperationTracking
import Synchronization

/// The machine as JSON, made once for each measurement: it is measured less often than it is asked for.
final class EncodedHost: Sendable {
    private let latest = Mutex<(host: HostResources, json: [UInt8])?>(nil)

    func json(_ host: HostResources) -> [UInt8] {
        let known = latest.withLock { latest in latest?.host == host ? latest?.json : nil }
        if let known { return known }
        var json = JSONWriter(capacity: 1024)
        host.write(to: &json)
        let bytes = json.bytes
        latest.withLock { $0 = (host, bytes) }
        return bytes
    }
}
