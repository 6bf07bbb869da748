/// The ports of services as lines for a POSIX shell.
enum EnvironmentScript {
    /// One line for each enabled service with a port, such as `export VITE_PORT=5173`.
    static func text(_ services: [ServiceDefinition]) -> String {
        var taken: [String: String] = [:]
        var text = "# The ports of this machine's services. Use it with: eval \"$(wizard ports env)\"\n"
        for service in services where service.isEnabled {
            guard let port = service.port else { continue }
            let variable = variable(service.name)
            if let other = taken.updateValue(service.name, forKey: variable) {
                text += "# \(service.name) has the same variable as \(other), and is left out.\n"
                taken[variable] = other
                continue
            }
            text += "export \(variable)=\("\(port)".shellQuoted)\n"
        }
        return text
    }

    /// Letters and digits of a name in capitals, `_` for the rest. A name may begin with a digit, and a variable may not.
    static func variable(_ name: String) -> String {
        let plain = name.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        return (plain.first?.isNumber == true ? "_" : "") + String(plain) + "_PORT"
    }
}
