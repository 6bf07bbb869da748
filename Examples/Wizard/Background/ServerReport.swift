import OperationTracking
import ServiceControl

/// Says how a server is.
struct ServerReport {
    let state: ServerState
    let options: ServerOptions

    /// As JSON, with every key, `null` for what isn't known.
    func printJSON() {
        let server = server
        let health: ServerHealth? = if case .running(_, let health) = state { health } else { nil }
        var json = JSONWriter(capacity: 512)
        json.beginObject()
        json.key("status")
        json.value(state.name)
        json.key("url")
        json.value(server?.url)
        json.key("pid")
        json.value(server?.process.pid)
        json.key("started_at")
        json.value(milliseconds: server?.startedAt?.milliseconds)
        json.key("uptime_seconds")
        json.value(uptime)
        json.key("health")
        json.value(health?.status)
        json.key("active_operations")
        json.value(health?.activeOperations)
        json.key("port")
        json.value(Int(server?.port ?? options.port))
        json.key("held_by")
        if case .conflict(let use) = state { json.value(use.holderText) } else { json.null() }
        json.key("data")
        json.value(options.data.absolutePath)
        json.key("log")
        json.value(ServerLog.file(in: options.data).path)
        json.endObject()
        Console.json(json.bytes)
    }

    func print() {
        if options.json { return printJSON() }
        let mark = Console.usesColour ? colour.paint("●") : "●"
        Console.line("\(mark) \(sentence)")
        for (name, value) in lines { Console.line("  \(name.padded(to: 12))\(value.printable)") }
    }

    private var server: KnownServer? { state.server }

    private var uptime: Double? {
        guard let milliseconds = server?.startedAt?.milliseconds else { return nil }
        return max(0, Double(SystemTrackingClock().wallMilliseconds - milliseconds) / 1000)
    }

    private var colour: Colour {
        switch state {
        case .running(_, let health): health.status == "ok" ? .emerald : .yellow
        case .silent, .conflict: .red
        case .stopped: .faint
        }
    }

    private var sentence: String {
        switch state {
        case .running(let server, _): "The server runs at \(server.url)."
        case .silent(let server): ServerProblem(silent: server).description
        case .conflict(let use):
            "The server doesn't run, and its port \(use.port) is held by \(use.holderText)"
                + (options.refusal(toEnd: use).map { ", which `wizard restart` doesn't end. \($0)" }
                    ?? ": `wizard restart` ends that.")
        case .stopped: "No server runs: `wizard start` starts one."
        }
    }

    private var lines: [(String, String)] {
        var lines: [(String, String)] = []
        if let server { lines.append(("pid", "\(server.process.pid)")) }
        if let uptime { lines.append(("up for", Format.duration(uptime))) }
        if case .running(_, let health) = state {
            lines.append(("health", health.status + (health.reason.map { ": \($0)" } ?? "")))
            lines.append(("operations", "\(health.activeOperations) active"))
        }
        lines.append(("data", options.data.absolutePath))
        if server != nil { lines.append(("log", ServerLog.file(in: options.data).path)) }
        return lines
    }
}
