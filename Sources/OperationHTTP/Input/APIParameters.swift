/// What a client says: the members of a JSON body, and the parameters of the query. Where both name something, the body counts.
package struct APIParameters: Sendable {
    private let members: [(key: String, value: JSONValue)]
    private let query: [(name: String, value: String)]

    package init(body: JSONValue? = nil, query: [(name: String, value: String)]) throws(APIProblem) {
        switch body {
        case nil: members = []
        case .object(let members): self.members = members
        case .some(let other): throw .invalid("The body is \(other.kind): send a JSON object.")
        }
        self.query = query
    }

    /// A value, with `null` taken as not given.
    private enum Given {
        case json(JSONValue)
        case text(String)
    }

    /// Reads what is given. A parameter of the query beside a member counts for nothing, but it has to be one all the same.
    private func read<Value>(
        _ name: String,
        _ value: (Given) throws(APIProblem) -> Value
    ) throws(APIProblem) -> Value? {
        let texts = query.filter { $0.name == name }
        guard texts.count <= 1 else { throw .invalid("\(name) is given \(texts.count) times: give it once.") }
        let ofQuery = try texts.first.map { (text) throws(APIProblem) in try value(.text(text.value)) }
        guard let member = members.first(where: { $0.key == name })?.value else { return ofQuery }
        if case .null = member { return nil }
        return try value(.json(member))
    }

    /// Whether there is a value.
    package func has(_ name: String) -> Bool {
        members.contains { $0.key == name } || query.contains { $0.name == name }
    }

    /// Text of at most `limit` Unicode scalars, as JSON Schema counts them, without NUL.
    package func text(_ name: String, limit: Int) throws(APIProblem) -> String? {
        try parsed(name, limit: limit) { (text) throws(APIProblem) in text }
    }

    /// What a text means.
    ///
    /// - Parameter parse: is asked for whatever is given, also for what doesn't count.
    package func parsed<Value>(
        _ name: String,
        limit: Int,
        _ parse: (_ text: String) throws(APIProblem) -> Value
    ) throws(APIProblem) -> Value? {
        try read(name) { (given) throws(APIProblem) in
            let text: String
            switch given {
            case .json(.string(let value)), .text(let value): text = value
            case .json(let other): throw .invalid("\(name) is \(other.kind): send a string.")
            }
            guard text.unicodeScalars.count <= limit else {
                throw .invalid("\(name) has \(text.unicodeScalars.count) characters: send at most \(limit).")
            }
            guard !text.utf8.contains(0) else { throw .invalid("\(name) holds the character NUL: leave it out.") }
            return try parse(text)
        }
    }

    /// A number within a range.
    package func number(_ name: String, in range: ClosedRange<Double>) throws(APIProblem) -> Double? {
        try read(name) { (given) throws(APIProblem) in
            let number: Double
            switch given {
            case .json(.integer(let value)): number = Double(value)
            case .json(.number(let value)): number = value
            case .json(let other): throw .invalid("\(name) is \(other.kind): send a number.")
            case .text(let text):
                guard text.utf8.allSatisfy(Self.isOfNumber), let value = Double(text), value.isFinite else {
                    throw .invalid("\(name) is not a number.")
                }
                number = value
            }
            guard range.contains(number) else {
                throw .invalid(
                    "\(name) is outside its range: send a number from \(Self.shown(range.lowerBound)) to \(Self.shown(range.upperBound))."
                )
            }
            return number
        }
    }

    /// A whole number within a range.
    package func integer(_ name: String, in range: ClosedRange<Int64>) throws(APIProblem) -> Int64? {
        guard let number = try number(name, in: Double(range.lowerBound)...Double(range.upperBound)) else { return nil }
        guard let whole = Int64(exactly: number) else { throw .invalid("\(name) is not a whole number.") }
        return whole
    }

    /// `true` or `false`.
    package func flag(_ name: String) throws(APIProblem) -> Bool? {
        try read(name) { (given) throws(APIProblem) in
            switch given {
            case .json(.bool(let truth)): return truth
            case .text("true"): return true
            case .text("false"): return false
            case .json(let other): throw .invalid("\(name) is \(other.kind): send true or false.")
            case .text: throw .invalid("\(name) is neither true nor false.")
            }
        }
    }

    /// The members of an object.
    package func object(_ name: String) throws(APIProblem) -> JSONValue? {
        try read(name) { (given) throws(APIProblem) in
            let value =
                switch given {
                case .json(let value): value
                case .text(let text): try JSONReader.read(Array(text.utf8))
                }
            guard case .object = value else { throw .invalid("\(name) is \(value.kind): send an object, as JSON.") }
            return value
        }
    }

    /// Every value of a query parameter that may come several times, up to 16.
    package func list(_ name: String) throws(APIProblem) -> [String] {
        let values = query.filter { $0.name == name }.map(\.value)
        guard values.count <= 16 else { throw .invalid("\(name) comes more than 16 times: ask for fewer at once.") }
        return values
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default:
            false
        }
    }

    private static func shown(_ number: Double) -> String {
        Int64(exactly: number).map(String.init) ?? "\(number)"
    }
}

extension APIParameters {
    /// Text that has to be there.
    package func requiredText(_ name: String, limit: Int) throws(APIProblem) -> String {
        guard let text = try text(name, limit: limit) else { throw .invalid("\(name) is missing: send a string.") }
        return text
    }

    /// A value of an enumeration with names.
    package func choice<Choice>(_ name: String, of type: Choice.Type = Choice.self) throws(APIProblem) -> Choice?
    where Choice: RawRepresentable<String>, Choice: CaseIterable {
        try parsed(name, limit: 64) { (text) throws(APIProblem) in
            guard let choice = Choice(rawValue: text) else {
                let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalid("\(name) is none of \(names).")
            }
            return choice
        }
    }
}
