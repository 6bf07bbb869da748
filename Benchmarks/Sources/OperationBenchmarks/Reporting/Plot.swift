import Foundation

/// What things cost with more and more active operations, both on logarithmic scales, as a picture in SVG.
///
/// It has a background of its own, light or dark as the reader's system is, so that it can stand on any page.
struct Plot {
    struct Series {
        var name: String
        /// Active operations and nanoseconds.
        var points: [(count: Double, cost: Double)]
    }

    let series: [Series]

    private let frame = (left: 72.0, right: 560.0, top: 56.0, bottom: 372.0)
    private let counts = (low: 1.0, high: 5.0)
    /// Powers of ten, in nanoseconds.
    private var costs: (low: Double, high: Double) {
        let exponents = series.flatMap(\.points).map { log10($0.cost) }
        return ((exponents.min() ?? 0).rounded(.down), (exponents.max() ?? 9).rounded(.up))
    }

    /// Told apart also by who sees red and green alike.
    private static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#6a6fd1"]

    var svg: String {
        let head = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 430" width="820" height="430" role="img"
             font-family="system-ui, sans-serif" font-size="13">
            <title>Cost against the number of active operations</title>
            <style>
            .page { fill: #ffffff } text { fill: #24292f } .faint { fill: #57606a } .grid { stroke: #d0d7de }
            @media (prefers-color-scheme: dark) {
            .page { fill: #0d1117 } text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #30363d }
            }
            </style>
            <rect class="page" width="820" height="430" rx="8"/>
            <text x="24" y="30" font-size="16" font-weight="600">Cost against the number of active operations</text>
            """
        return ([head] + grid + lines + labels + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func x(_ count: Double) -> Double {
        frame.left + (log10(count) - counts.low) / (counts.high - counts.low) * (frame.right - frame.left)
    }

    private func y(_ cost: Double) -> Double {
        frame.bottom - (log10(cost) - costs.low) / (costs.high - costs.low) * (frame.bottom - frame.top)
    }

    private var grid: [String] {
        let across = stride(from: costs.low, through: costs.high, by: 1).map { power in
            let (height, cost) = (y(pow(10, power)), pow(10, power))
            return """
                <line class="grid" x1="\(frame.left.place)" x2="\(frame.right.place)" y1="\(height.place)" y2="\(height.place)"/>
                <text class="faint" x="\((frame.left - 10).place)" y="\((height + 4).place)" text-anchor="end">\(Self.time(cost))</text>
                """
        }
        let down = stride(from: counts.low, through: counts.high, by: 1).map { power in
            let place = x(pow(10, power))
            return """
                <line class="grid" x1="\(place.place)" x2="\(place.place)" y1="\(frame.top.place)" y2="\(frame.bottom.place)"/>
                <text class="faint" x="\(place.place)" y="\((frame.bottom + 20).place)" text-anchor="middle">\(Self.grouped(pow(10, power)))</text>
                """
        }
        let middle = (frame.left + frame.right) / 2
        return across + down + [
            "<text class=\"faint\" x=\"\(middle.place)\" y=\"\((frame.bottom + 42).place)\" text-anchor=\"middle\">active operations</text>"
        ]
    }

    private var lines: [String] {
        zip(series, Self.colours).map { series, colour in
            let places = series.points.map { (x($0.count), y($0.cost)) }
            let path = places.map { "\($0.place),\($1.place)" }.joined(separator: " ")
            let marks = places.map { "<circle cx=\"\($0.place)\" cy=\"\($1.place)\" r=\"3.5\" fill=\"\(colour)\"/>" }
            return "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>"
                + marks.joined()
        }
    }

    /// Each line's name stands at its end, moved apart where two ends are close.
    private var labels: [String] {
        let ends = zip(series, Self.colours).compactMap { series, colour in
            series.points.last.map { (name: series.name, colour: colour, height: y($0.cost)) }
        }.sorted { $0.height < $1.height }
        var lowest = -Double.infinity
        return ends.map { end in
            lowest = max(end.height, lowest + 20)
            let (left, height) = (frame.right + 16, lowest)
            return "<circle cx=\"\(left.place)\" cy=\"\(height.place)\" r=\"4\" fill=\"\(end.colour)\"/>"
                + "<text x=\"\((left + 10).place)\" y=\"\((height + 4).place)\">\(end.name)</text>"
        }
    }

    /// A power of ten, which has no digits to show but one.
    private static func time(_ nanoseconds: Double) -> String {
        nanoseconds < 1 ? String(format: "%g ns", nanoseconds) : nanoseconds.amount(of: "ns")
    }

    private static func grouped(_ number: Double) -> String {
        let digits = String(Int(number))
        return digits.count > 3 ? "\(digits.dropLast(3)),\(digits.suffix(3))" : digits
    }
}

extension Plot {
    /// The figures of the summary suite whose names end in a number of active operations.
    init(_ entries: [Report.Entry]) {
        func series(_ name: String, of what: String, suffix: String = "", _ value: (Report.Entry) -> Double?) -> Series
        {
            let points = entries.compactMap { entry -> (count: Double, cost: Double)? in
                let end = " active" + suffix
                guard entry.name.hasPrefix("\(what), "), entry.name.hasSuffix(end),
                    let count = Double(entry.name.dropFirst(what.count + 2).dropLast(end.count)),
                    let cost = value(entry), cost > 0
                else { return nil }
                return (count, cost)
            }
            return Series(name: name, points: points.sorted { $0.count < $1.count })
        }
        let json = "full summary as JSON"
        self.init(
            series: [
                series("an update", of: "update, a hundred of each in turn", \.value),
                series("counts and totals", of: "summary counts and totals", \.value),
                series("starting and completing one", of: "start and complete one more", \.value),
                series("all of them as JSON", of: json, \.value),
                series("the same in the original (Python)", of: json, suffix: ", beside the original's", \.peerValue),
            ].filter { !$0.points.isEmpty }
        )
    }
}

extension Double {
    /// As a coordinate.
    fileprivate var place: String { String(format: "%.1f", self) }
}
