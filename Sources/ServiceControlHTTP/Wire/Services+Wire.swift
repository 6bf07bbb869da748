#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking
import ServiceControl

extension JSONWriter {
    static func encoded(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        // One order in every answer.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    mutating func encode(_ value: some Encodable) throws {
        embed(try Self.encoded(value))
    }
}

extension ServiceReport {
    /// A line for people.
    var line: String {
        let place = service.port.map { ":\($0)" } ?? "no port"
        let state = status.rawValue.padded(to: 13) + "  " + service.name.padded(to: 16) + "  " + place.padded(to: 7)
        return state + "  " + (detail ?? service.description)
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

extension [PortConflict] {
    /// The conflicts as the original system's `GET /api/ports/conflicts` had them.
    func writeOccupants(to json: inout JSONWriter) {
        json.beginArray()
        for conflict in self {
            json.beginObject()
            json.key("service")
            json.value(conflict.service)
            json.key("port")
            json.value(conflict.port)
            json.key("occupant")
            json.beginObject()
            json.key("pid")
            json.value(conflict.pid)
            json.key("process")
            json.value(conflict.actualProcess)
            json.key("port")
            json.value(conflict.port)
            json.key("supervisor")
            json.value(conflict.supervisor)
            json.endObject()
            json.endObject()
        }
        json.endArray()
    }
}

extension ServiceRegistry {
    /// Where the services stand, and what is wrong there.
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.key("path")
        json.value(path)
        json.key("problem")
        json.value(problem?.message)
        json.key("warnings")
        json.beginArray()
        for warning in warnings { json.value(warning) }
        json.endArray()
        json.endObject()
    }
}
