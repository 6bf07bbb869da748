/// The little of CSS that icons use: declarations of known properties, and rules for classes, ids and elements. What is written comes
/// from the parts that were understood.
enum SVGStyle {
    struct Declaration: Hashable {
        var property: String
        var value: String

        var text: String { "\(property):\(value)" }
    }

    struct Rule: Hashable {
        /// Each a class, an id, an element, or several of these that must hold together, such as `path.st0`.
        var selectors: [String]
        var declarations: [Declaration]
    }

    /// The declarations of a `style` attribute or of a rule's body that may be kept. One marked as important is kept as an ordinary
    /// one: it counts less then, and not nothing.
    static func declarations(_ text: some StringProtocol) -> [Declaration] {
        let all = text.split(separator: ";").compactMap { part -> Declaration? in
            let sides = part.split(separator: ":", omittingEmptySubsequences: false)
            guard sides.count == 2 else { return nil }
            let property = String(sides[0].filter { !$0.isWhitespace }).lowercased()
            let body = sides[1].prefix { $0 != "!" }
            guard SVGAllowList.properties.contains(property), let value = SVGValue.cleaned(body) else { return nil }
            return Declaration(property: property, value: value)
        }
        return withoutRepeats(all)
    }

    /// Of several equal declarations the last. Different ones of one property all stay: the last holds unless a renderer can't
    /// read it, and then the one before does.
    static func withoutRepeats(_ declarations: [Declaration]) -> [Declaration] {
        var seen: Set<Declaration> = []
        return declarations.reversed().filter { seen.insert($0).inserted }.reversed()
    }

    /// The rules of a style sheet that may be kept. From the first part on that is not understood, nothing is.
    static func rules(_ text: String) -> [Rule] {
        var rest = withoutComments(text)[...]
        var rules: [Rule] = []
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}") else { break }
            let body = rest[rest.index(after: open)..<close]
            // A rule within a rule: its end would be taken for that of the outer one.
            guard !body.contains("{") else { break }
            // What stands before a selector and ends by itself, such as `@charset`, is no part of it.
            let prelude = rest[..<open].split(separator: ";", omittingEmptySubsequences: false).last ?? ""
            let selectors = prelude.split(separator: ",").compactMap(selector)
            let declarations = declarations(body)
            if !selectors.isEmpty, !declarations.isEmpty {
                rules.append(Rule(selectors: selectors, declarations: declarations))
            }
            rest = rest[rest.index(after: close)...]
        }
        return rules
    }

    /// The parts of a selector, such as `path` and `.st0`.
    static func parts(ofSelector selector: String) -> [String] {
        var parts: [String] = []
        for character in selector {
            if character == "." || character == "#" || parts.isEmpty { parts.append("") }
            parts[parts.count - 1].append(character)
        }
        return parts
    }

    private static func selector(_ text: Substring) -> String? {
        let selector = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
        let parts = parts(ofSelector: String(selector))
        let isKnown = parts.allSatisfy { part in
            let name = part.drop { $0 == "." || $0 == "#" }
            guard part.utf8.count - name.utf8.count <= 1, SVGValue.name(name) != nil, !name.contains(".") else {
                return false
            }
            return name.utf8.count < part.utf8.count || SVGAllowList.shapes.contains(part)
                || ["svg", "g", "tspan", "stop"].contains(part)
        }
        return isKnown && !parts.isEmpty ? parts.joined() : nil
    }

    private static func withoutComments(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstRange(of: "/*") {
            result += rest[..<open.lowerBound]
            guard let close = rest[open.upperBound...].firstRange(of: "*/") else { return result }
            rest = rest[close.upperBound...]
        }
        return result + rest
    }
}
