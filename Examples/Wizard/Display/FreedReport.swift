import OperationTracking
import ServiceControl

/// Says what was ended for a port.
struct FreedReport {
    private let freed: FreedPort

    init(_ freed: FreedPort) {
        self.freed = freed
    }

    func print() {
        guard !freed.ended.isEmpty else { return Console.line("Nothing holds port \(freed.port).") }
        let names = freed.ended.map(\.text).joined(separator: ", ")
        let how = freed.wasForced ? "ended by force" : "ended"
        Console.line("Port \(freed.port) is free: \(names) \(freed.ended.count == 1 ? "was" : "were") \(how).")
        if let advice = freed.supervisorAdvice { Console.line(advice.printable) }
    }

    func printJSON() {
        var json = JSONWriter(capacity: 256)
        json.beginObject()
        json.key("port")
        json.value(Int(freed.port))
        json.key("ended")
        json.beginArray()
        for process in freed.ended {
            json.beginObject()
            json.key("pid")
            json.value(process.identity.pid)
            json.key("name")
            json.value(process.name)
            json.key("supervisor")
            json.value(process.supervisor?.description)
            json.endObject()
        }
        json.endArray()
        json.key("forced")
        json.value(freed.wasForced)
        json.endObject()
        Console.json(json.bytes)
    }
}
