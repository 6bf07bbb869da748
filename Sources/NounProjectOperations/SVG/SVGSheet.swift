/// The rules of a file's style sheets, written into the elements that they are for.
///
/// A sheet of an SVG that is put into a web page holds for the whole page, and would hide or paint what isn't the icon's. As
/// `style` attributes its rules hold where they belong. Selectors have no combinators, see ``SVGStyle``, so which rules an element
/// meets is seen from itself.
struct SVGSheet {
    private struct Selector {
        var parts: [String]
        var rule: Int
        /// How many ids, classes and names it has: what names more closely wins (CSS Selectors, section 15).
        var specificity: [Int]
    }

    /// The most that is looked at, in selectors and declarations, for all elements together. As many elements as a file may have
    /// meet some fifteen each.
    private static let maximumWork = 300_000

    private var rules: [[SVGStyle.Declaration]] = []
    /// The selectors by the last of their parts, without which none is met.
    private var selectors: [String: [Selector]] = [:]
    private var work = 0
    private var addedBytes = 0

    mutating func add(_ text: String) {
        for rule in SVGStyle.rules(text) {
            for selector in rule.selectors {
                let parts = SVGStyle.parts(ofSelector: selector)
                guard let last = parts.last else { continue }
                let ids = parts.count { $0.hasPrefix("#") }
                let classes = parts.count { $0.hasPrefix(".") }
                let specificity = [ids, classes, parts.count - ids - classes]
                selectors[last, default: []].append(
                    Selector(parts: parts, rule: rules.count, specificity: specificity)
                )
            }
            rules.append(rule.declarations)
        }
    }

    /// Writes the rules into the `style` attributes of an element and of all that it holds.
    ///
    /// - Throws: ``FileRefusal`` when that would take too long or make the file too large.
    mutating func fold(into element: inout SVGElement) throws(FileRefusal) {
        guard !rules.isEmpty else { return }
        let met = try rules(for: element)
        if !met.isEmpty {
            let place = element.attributes.firstIndex { $0.name == "style" }
            let own = place.map { SVGStyle.declarations(element.attributes[$0].value) } ?? []
            let style = SVGStyle.withoutRepeats(met.flatMap { rules[$0] } + own).map(\.text).joined(separator: ";")
            addedBytes += style.utf8.count
            guard addedBytes <= SVGSanitizer.sizeLimit else {
                throw FileRefusal("its style sheets would make more than \(SVGSanitizer.sizeLimit) bytes of it")
            }
            if let place {
                element.attributes[place].value = style
            } else {
                element.attributes.append(.init(name: "style", value: style))
            }
        }
        for index in element.children.indices {
            guard case .element(var child) = element.children[index] else { continue }
            try fold(into: &child)
            element.children[index] = .element(child)
        }
    }

    /// The rules that an element meets, those that win last.
    private mutating func rules(for element: SVGElement) throws(FileRefusal) -> [Int] {
        var own: Set = [element.name]
        if let id = element.attribute("id") { own.insert("#" + id) }
        for name in (element.attribute("class") ?? "").split(separator: " ") { own.insert("." + name) }
        var met: [Int: [Int]] = [:]
        for part in own {
            for selector in selectors[part] ?? [] {
                try spend(selector.parts.count)
                guard selector.parts.allSatisfy(own.contains) else { continue }
                let known = met[selector.rule] ?? []
                if known.lexicographicallyPrecedes(selector.specificity) { met[selector.rule] = selector.specificity }
            }
        }
        for rule in met.keys { try spend(rules[rule].count) }
        return met.sorted { first, second in
            first.value == second.value
                ? first.key < second.key : first.value.lexicographicallyPrecedes(second.value)
        }.map(\.key)
    }

    private mutating func spend(_ amount: Int) throws(FileRefusal) {
        work += amount
        guard work <= Self.maximumWork else {
            throw FileRefusal("its style sheets have too many rules for its elements")
        }
    }
}
