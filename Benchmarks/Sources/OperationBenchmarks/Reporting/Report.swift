import Foundation

/// The results of one suite, as they are written and read again.
struct Report: Codable {
    struct Entry: Codable {
        var name: String
        var value: Double
        var unit: String
        /// The quartiles of the runs.
        var spread: [Double]
        var peer: String?
        var peerValue: Double?
        var ratio: Double?
        var budget: String?
        var met: Bool?
        /// Whether the peer is this library's, too; not in the JSON.
        var peerIsOurs = false

        enum CodingKeys: String, CodingKey {
            case name, value, unit, spread, peer, ratio, budget, met
            case peerValue = "peer_value"
        }

        /// Every key is always there; what isn't known is `null`.
        func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: CodingKeys.self)
            try object.encode(name, forKey: .name)
            try object.encode(value, forKey: .value)
            try object.encode(unit, forKey: .unit)
            try object.encode(spread, forKey: .spread)
            try object.encode(peer, forKey: .peer)
            try object.encode(peerValue, forKey: .peerValue)
            try object.encode(ratio, forKey: .ratio)
            try object.encode(budget, forKey: .budget)
            try object.encode(met, forKey: .met)
        }
    }

    var suite: String
    var results: [Entry]
    /// Where and when; only in the file that the pages are written from.
    var measured: String?
    /// What was not measured, and why; only there, too.
    var leftOut: [String]?
    /// What eta has besides.
    var eta: EtaFigures?
    /// What a table has no place for; not in the JSON.
    var remarks: String?

    enum CodingKeys: String, CodingKey {
        case suite, results, measured, eta
        case leftOut = "left_out"
    }

    init(suite: String, _ measurements: [Measurement]) {
        self.suite = suite
        results = measurements.map { measurement in
            Entry(
                name: measurement.name,
                value: measurement.value,
                unit: measurement.unit,
                spread: [measurement.spread.lowerBound, measurement.spread.upperBound],
                peer: measurement.peer?.name,
                peerValue: measurement.peer?.value,
                ratio: measurement.ratio,
                budget: measurement.budget.map { $0.words(unit: measurement.unit) },
                met: measurement.isMet,
                peerIsOurs: measurement.peer?.isOurs ?? false
            )
        }
    }

    /// One line of JSON, which has no more than the suite and its results; eta's has what else it has to tell, too.
    func json() throws -> String {
        var plain = self
        (plain.measured, plain.leftOut) = (nil, nil)
        return try plain.whole()
    }

    /// The same with all that is kept.
    func whole() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var text: String { Table(report: self).text + (remarks.map { "\n\($0)\n" } ?? "") }
}

extension Budget {
    func words(unit: String) -> String {
        var parts: [String] = []
        if let ratioAtMost {
            parts.append(
                ratioAtMost < 0.6
                    ? "at least \((1 / ratioAtMost).brief)x less" : "at most \(ratioAtMost.brief)x"
            )
        }
        if let ratioAtLeast { parts.append("at least \(ratioAtLeast.brief)x") }
        if let valueAtMost { parts.append("at most \(valueAtMost.amount(of: unit))") }
        if let valueAtLeast { parts.append("at least \(valueAtLeast.amount(of: unit))") }
        return parts.joined(separator: ", ")
    }
}

extension Double {
    /// Three digits that matter.
    var brief: String {
        if self == 0 { return "0" }
        let digits = Int(log10(abs(self)).rounded(.down))
        let scale = pow(10, Double(2 - digits))
        let rounded = (self * scale).rounded() / scale
        return rounded == rounded.rounded() && abs(rounded) < 1e9
            ? String(Int(rounded)) : String(format: "%.*f", Swift.max(0, 2 - digits), rounded)
    }

    /// Nanoseconds in the unit in which they read best, anything else as it is.
    func amount(of unit: String) -> String {
        if unit == "allocations", brief == "1" { return "1 allocation" }
        guard unit == "ns" else { return "\(brief) \(unit)" }
        if self >= 1e9 { return "\((self / 1e9).brief) s" }
        if self >= 1e6 { return "\((self / 1e6).brief) ms" }
        if self >= 1e3 { return "\((self / 1e3).brief) µs" }
        return "\(brief) ns"
    }
}
