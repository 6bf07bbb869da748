extension ServiceDefinition {
    /// Reads a service of the registry's file. Keys that are not known are the file's own affair.
    ///
    /// - Parameters:
    ///   - value: what stands in the file.
    ///   - number: the how manieth service it is there, from 1 on: one without a name is told by it.
    ///   - problems: takes a sentence for whatever is wrong.
    /// - Returns: `nil` when anything is.
    init?(_ value: JSONValue, number: Int, problems: inout [String]) {
        guard case .object = value else {
            problems.append("Service \(number) of the list is \(value.kind), not an object.")
            return nil
        }
        guard case .string(let name)? = value["name"] else {
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
    var json: JSONValue {
        var value = JSONValue.object([])
        for (key, field) in fields { value.set(key, to: field) }
        return value
    }

    /// Every known key with its value. Who registered it is said only where somebody did.
    var fields: [(key: String, value: JSONValue)] {
        func text(_ string: String?) -> JSONValue { string.map(JSONValue.string) ?? .null }
        var fields: [(key: String, value: JSONValue)] = [
            ("name", .string(name)),
            ("port", port.map { .number("\($0)") } ?? .null),
            ("environment", .string(environment.rawValue)),
            ("process_name", text(processName)),
            ("description", .string(description)),
            ("startup_cmd", startupCommand?.json ?? .null),
            ("shutdown_cmd", shutdownCommand?.json ?? .null),
            ("health_endpoint", text(healthEndpoint)),
            ("enabled", .bool(isEnabled)),
        ]
        if let registeredBy { fields.append(("registered_by", .string(registeredBy))) }
        return fields
    }
}

extension ServiceCommand {
    var json: JSONValue {
        switch self {
        case .shell(let line): .string(line)
        case .program(let words): .array(words.map(JSONValue.string))
        }
    }
}

/// Takes one field after the other out of a service's object, and notes what is not as it should be.
private struct FieldReader {
    let value: JSONValue
    let name: String
    var problems: [String] = []

    private mutating func note(_ key: String, isWanted wanted: String, is found: JSONValue) {
        problems.append("\(name): \(key) is \(wanted), not \(found.kind).")
    }

    mutating func text(_ key: String) -> String? {
        switch value[key] {
        case nil, .null: return nil
        case .string(let text): return text
        case .some(let other):
            note(key, isWanted: "a text or null", is: other)
            return nil
        }
    }

    mutating func bool(_ key: String) -> Bool? {
        switch value[key] {
        case nil: return nil
        case .bool(let bool): return bool
        case .some(let other):
            note(key, isWanted: "true or false", is: other)
            return nil
        }
    }

    mutating func port() -> UInt16? {
        switch value["port"] {
        case nil, .null: return nil
        case .number(let digits):
            if let port = UInt16(digits), port > 0 { return port }
            problems.append("\(name): port is a whole number from 1 to 65535 or null, not \(digits.shown).")
            return nil
        case .some(let other):
            note("port", isWanted: "a whole number from 1 to 65535 or null", is: other)
            return nil
        }
    }

    mutating func environment() -> ServiceEnvironment {
        guard let word = text("environment") else { return .development }
        if let environment = ServiceEnvironment(rawValue: word) { return environment }
        let known = ServiceEnvironment.allCases.map(\.rawValue).joined(separator: ", ")
        problems.append("\(name): environment is one of \(known), not \"\(word.shown)\".")
        return .development
    }

    mutating func command(_ key: String) -> ServiceCommand? {
        switch value[key] {
        case nil, .null: return nil
        case .string(let line): return .shell(line)
        case .array(let values):
            let words = values.compactMap { value in
                if case .string(let word) = value { word } else { nil }
            }
            if words.count == values.count { return .program(words) }
            problems.append(
                "\(name): \(key) is a line for the shell, a list of texts, or null; its list has more than texts."
            )
            return nil
        case .some(let other):
            note(key, isWanted: "a line for the shell, a list of texts, or null", is: other)
            return nil
        }
    }
}
