/// The rules that every recorded stream obeys.
struct Grammar {
    /// What a line says, without its numbers. Layers are counted in the order of their first line.
    enum Kind: Hashable {
        case manifest
        case started(layer: Int)
        case partial(layer: Int)
        case whole(layer: Int)
        case verifying, writing, success, error
    }

    struct Violation: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var kinds: [Kind] = []
    /// Seconds between neighbouring lines of one layer.
    private(set) var intervals: [Double] = []

    /// Reads a stream, and throws at the first line that breaks a rule.
    init(_ lines: [TimedLine]) throws {
        var layers: [String] = []
        for (index, timed) in lines.enumerated() {
            let fields = try LineFields(timed.line)
            let kind = try Self.kind(of: fields, layers: &layers)
            try Self.check(Self.keys(of: timed.line) == Self.keys(for: kind), "keys of \(timed.line)")
            if let digest = fields.digest {
                try Self.check(fields.status == "pulling \(digest.dropFirst(7).prefix(12))", "status of \(timed.line)")
            }
            try Self.check(Self.follows(kind, kinds.last), "\(kind) after \(kinds.last.map { "\($0)" } ?? "nothing")")
            if index > 0, let layer = kind.layer, kinds.last?.layer == layer {
                intervals.append(timed.t - lines[index - 1].t)
            }
            kinds.append(kind)
        }
        try Self.check(kinds.last == .success || kinds.last == .error, "the end \(lines.last?.line ?? "")")
    }

    /// The kinds with runs of the same one collapsed.
    var sequence: [Kind] {
        kinds.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }

    private static func check(_ condition: Bool, _ what: String) throws(Violation) {
        if !condition { throw Violation(description: what) }
    }

    private static func kind(of fields: LineFields, layers: inout [String]) throws(Violation) -> Kind {
        switch (fields.status, fields.digest) {
        case ("pulling manifest", nil): return .manifest
        case ("verifying sha256 digest", nil): return .verifying
        case ("writing manifest", nil): return .writing
        case ("success", nil): return .success
        case (nil, nil) where fields.error != nil: return .error
        case (_?, let digest?):
            if !layers.contains(digest) { layers.append(digest) }
            guard layers.last == digest else { throw Violation(description: "layers mixed at \(digest)") }
            guard let completed = fields.completed else { return .started(layer: layers.count) }
            return completed == fields.total ? .whole(layer: layers.count) : .partial(layer: layers.count)
        default: throw Violation(description: "unknown line \(fields)")
        }
    }

    private static func follows(_ kind: Kind, _ previous: Kind?) -> Bool {
        switch (previous, kind) {
        case (nil, .manifest), (.verifying, .writing), (.verifying, .error), (.writing, .success): true
        case (.manifest, .error): true
        case (.started, .error), (.partial, .error): true
        case (.manifest, .verifying), (.started, .verifying), (.partial, .verifying), (.whole, .verifying): true
        case (.started(let old), .started(let new)): new == old || new == old + 1
        case (.started(let old), .partial(let new)), (.partial(let old), .partial(let new)):
            new == old || new == old + 1
        case (_, .started(let new)), (_, .partial(let new)), (_, .whole(let new)):
            previous == .manifest ? new == 1 : previous?.layer.map { new == $0 + 1 } ?? false
        default: false
        }
    }

    private static func keys(for kind: Kind) -> [Substring] {
        switch kind {
        case .manifest, .verifying, .writing, .success: ["status"]
        case .started: ["status", "digest", "total"]
        case .partial, .whole: ["status", "digest", "total", "completed"]
        case .error: ["error"]
        }
    }

    private static func keys(of line: String) -> [Substring] {
        line.matches(of: /[{,]"(\w+)":/).map(\.output.1)
    }
}

extension Grammar.Kind {
    var layer: Int? {
        switch self {
        case .started(let layer), .partial(let layer), .whole(let layer): layer
        case .manifest, .verifying, .writing, .success, .error: nil
        }
    }
}
