/// The text form of Prometheus (prometheus.io, "Exposition formats").
struct MetricsText {
    private(set) var text = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    /// - Parameter labels: their values need no escaping: they are names of ours or types.
    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: some CustomStringConvertible) {
        text += name
        if !labels.isEmpty { text += "{" + labels.map { "\($0)=\"\($1)\"" }.joined(separator: ",") + "}" }
        text += " \(value)\n"
    }

    mutating func gauge(_ name: String, _ help: String, _ value: some CustomStringConvertible) {
        family(name, "gauge", help)
        sample(name, [], value)
    }
}
