/// Which namespace each prefix stands for where the reader is (Namespaces in XML 1.0, section 6).
struct XMLNamespaces {
    /// The addresses of each prefix, the innermost last.
    private var addresses: [String: [String]]
    /// The prefixes that each open element declares.
    private var declared: [[String]] = []

    init(_ names: [String: String]) {
        addresses = names.mapValues { [$0] }
    }

    subscript(prefix: String) -> String? { addresses[prefix]?.last }

    /// Takes in what an element's attributes declare, until it is left.
    mutating func enter(_ attributes: [XMLReader.Attribute]) {
        var prefixes: [String] = []
        for attribute in attributes where attribute.name == "xmlns" || attribute.name.hasPrefix("xmlns:") {
            let prefix = String(attribute.name.dropFirst(6))
            addresses[prefix, default: []].append(attribute.value)
            prefixes.append(prefix)
        }
        declared.append(prefixes)
    }

    mutating func leave() {
        for prefix in declared.popLast() ?? [] { _ = addresses[prefix]?.popLast() }
    }
}
