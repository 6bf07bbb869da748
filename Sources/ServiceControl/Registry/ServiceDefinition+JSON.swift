import OperationTracking

extension ServiceDefinition {
    /// Reads a service of the registry's file. Keys that are not known are the file's own affair.
    ///
    /// - Parameters:
    ///   - value: what stands in the file.
    ///   - number: the how manieth service it is there, from 1 on: one without a name is told by it.
    ///   - problems: takes a sentence for whatever is wrong.
    /// - Returns: `nil` when anything is.
    init?(_ value: OrderedJSON, number: Int, problems: inout [String]) {
        guard value.members != nil else {
            problems.append("Service \(number) of the list is \(value.kind), not an object.")
            return nil
        }
        guard let name = value["name"]?.text else {
            let found = value["name"].map { "name is \($0.kind), not a text" } ?? "a \"name\", a text, is missing"
            problems.append("Service \(number) of the list: \(found).")
            return nil
        }
        var reader = FieldReader(value: value, name: name.shown)
        self.init(
            name: name,
            port: reader.port(),
            environment: reader.environment(),
            processName: reader.text("process_name"),
            description: reader.text("description") ?? "",
            startupCommand: reader.command("startup_cmd"),
            shutdownCommand: reader.command("shutdown_cmd"),
            healthEndpoint: reader.text("health_endpoint"),
            isEnabled: reader.bool("enabled") ?? true,
            registeredBy: reader.text("registered_by")
        )
        if reader.problems.isEmpty { reader.problems = self.problems }
        problems += reader.problems
        if !reader.problems.isEmpty { return nil }
    }

    /// The service as it stands in a new file.
    var json: OrderedJSON {
        .object(fields.map { OrderedJSON.Member(literal: OrderedJSON.literal($0.key), value: $0.value) })
    }

    /// Every known key with its value. Who registered it is said only where somebody did.
    var fields: [(key: String, value: OrderedJSON)] {
        func text(_ string: String?) -> OrderedJSON { string.map(OrderedJSON.string) ?? .null }
        var fields: [(key: String, value: OrderedJSON)] = [
            ("name", .string(name)),
            ("port", port.map { .scalar("\($0)") } ?? .null),
            ("environment", .string(environment.rawValue)),
            ("process_name", text(processName)),
            ("description", .string(description)),
            ("startup_cmd", startupCommand?.json ?? .null),
            ("shutdown_cmd", shutdownCommand?.json ?? .null),
            ("health_endpoint", text(healthEndpoint)),
            ("enabled", .scalar("\(isEnabled)")),
        ]
        if let registeredBy { fields.append(("registered_by", .string(registeredBy))) }
        return fields
    }
}

extension ServiceCommand {
    var json: OrderedJSON {
        switch self {
        case .shell(let line): .string(line)
        case .program(let words): .strings(words)
        }
    }
}

extension OrderedJSON {
    /// What kind of value it is, as one would say it.
    fileprivate var kind: String {
        switch self {
        case .object: "an object"
        case .array: "a list"
        case .scalar("null"): "null"
        case .scalar("true"), .scalar("false"): "true or false"
        case .scalar: text == nil ? "a number" : "a text"
        }
    }
}

/// Takes one field after the other out of a service's object, and notes what is not as it should be.
private struct FieldReader {
    let value: OrderedJSON
    let name: String
    var problems: [String] = []

    private mutating func note(_ key: String, isWanted wanted: String, is found: OrderedJSON) {
        problems.append("\(name): \(key) is \(wanted), not \(found.kind).")
    }

    mutating func text(_ key: String) -> String? {
        guard let found = value.member(key) else { return nil }
        if found.text == nil { note(key, isWanted: "a text or null", is: found) }
        return found.text
    }

    mutating func bool(_ key: String) -> Bool? {
        switch value[key] {
        case nil: return nil
        case .scalar("true"): return true
        case .scalar("false"): return false
        case .some(let other):
            note(key, isWanted: "true or false", is: other)
            return nil
        }
    }

    mutating func port() -> UInt16? {
        let wanted = "a whole number from 1 to 65535 or null"
        guard let found = value.member("port") else { return nil }
        guard found.kind == "a number", case .scalar(let digits) = found else {
            note("port", isWanted: wanted, is: found)
            return nil
        }
        if let port = UInt16(digits), port > 0 { return port }
        problems.append("\(name): port is \(wanted), not \(digits.shown).")
        return nil
    }

    mutating func environment() -> ServiceEnvironment {
        guard let word = text("environment") else { return .development }
        if let environment = ServiceEnvironment(rawValue: word) { return environment }
        let known = ServiceEnvironment.allCases.map(\.rawValue).joined(separator: ", ")
        problems.append("\(name): environment is one of \(known), not \"\(word.shown)\".")
        return .development
    }

    mutating func command(_ key: String) -> ServiceCommand? {
        guard let found = value.member(key) else { return nil }
        if let line = found.text { return .shell(line) }
        let wanted = "a line for the shell, a list of texts, or null"
        guard let elements = found.elements else {
            note(key, isWanted: wanted, is: found)
            return nil
        }
        let words = elements.compactMap(\.text)
        if words.count == elements.count { return .program(words) }
        problems.append("\(name): \(key) is \(wanted); its list has more than texts.")
        return nil
    }
}
