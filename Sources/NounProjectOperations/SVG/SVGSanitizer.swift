/// Makes an SVG from the network fit to be kept: what is left can run nothing and load nothing, also when it is put into a web page.
///
/// The file is read into the elements, attributes and styles of ``SVGAllowList``, and written anew from those. Scripts, event handlers,
/// animations, foreign objects, pictures, links and references to anything but the file's own parts are left out; the rules of its
/// style sheets are written into its elements, see ``SVGSheet``; a file that is no well-formed UTF-8 XML, defines entities, or would draw without end is refused. Cleaning what is clean changes nothing.
enum SVGSanitizer {
    /// The most bytes that a file may have.
    static let sizeLimit = 1 << 20

    /// - Returns: the clean file, UTF-8 without a byte order mark, that ends in a line feed.
    /// - Throws: ``FileRefusal``.
    static func clean(_ bytes: [UInt8]) throws(FileRefusal) -> [UInt8] {
        guard bytes.count <= sizeLimit else { throw FileRefusal("it has more than \(sizeLimit) bytes") }
        var root = try read(bytes)
        guard root.draws else { throw FileRefusal("it has nothing to draw") }
        try SVGReferences.check(root)
        var spaces = [XMLReader.Attribute(name: "xmlns", value: SVGAllowList.namespace)]
        if usesLinks(root) { spaces.append(.init(name: "xmlns:xlink", value: SVGAllowList.linkNamespace)) }
        root.attributes = spaces + root.attributes
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        root.write(to: &output)
        return output + [UInt8(ascii: "\n")]
    }

    /// What becomes of an element while it is read.
    private enum Place {
        case kept(SVGElement)
        /// Its children are its parent's.
        case transparent
        case dropped
    }

    private static func read(_ bytes: [UInt8]) throws(FileRefusal) -> SVGElement {
        var reader = try XMLReader(bytes)
        var places: [Place] = []
        var names = XMLNamespaces([
            "": SVGAllowList.namespace, "xml": "http://www.w3.org/XML/1998/namespace",
        ])
        var sheet = SVGSheet()
        var ids: Set<String> = []
        var root: SVGElement?
        while let token = try reader.next() {
            switch token {
            case .start(let name, let attributes):
                names.enter(attributes)
                let place = place(of: name, attributes, names, isInDropped: isDropped(places), &ids)
                if places.isEmpty {
                    guard case .kept(let element) = place, element.name == "svg" else {
                        throw FileRefusal("it is no SVG")
                    }
                }
                places.append(place)
            case .text(let text):
                guard !isDropped(places) else { break }
                append(.text(text), to: &places)
            case .end:
                names.leave()
                guard case .kept(let element)? = places.popLast() else { break }
                if element.name == "style" {
                    sheet.add(element.text)
                    break
                }
                if places.isEmpty { root = element } else { append(.element(element), to: &places) }
            }
        }
        guard var root else { throw FileRefusal("it is no SVG") }
        try sheet.fold(into: &root)
        return root
    }

    private static func isDropped(_ places: [Place]) -> Bool {
        if case .dropped? = places.last { true } else { false }
    }

    /// Puts a child into the innermost element that is kept. White space between shapes means nothing and is left out.
    private static func append(_ child: SVGElement.Child, to places: inout [Place]) {
        for index in places.indices.reversed() {
            guard case .kept(var element) = places[index] else { continue }
            if case .text(let text) = child {
                guard SVGAllowList.textElements.contains(element.name), !text.isEmpty else { return }
            } else if element.name == "style" || element.name == "title" || element.name == "desc" {
                return
            }
            // Let go of first, or the children would be copied each time.
            places[index] = .dropped
            element.children.append(child)
            places[index] = .kept(element)
            return
        }
    }

    private static func place(
        of name: String,
        _ attributes: [XMLReader.Attribute],
        _ spaces: XMLNamespaces,
        isInDropped: Bool,
        _ ids: inout Set<String>
    ) -> Place {
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (prefix, local) = parts.count == 2 ? (parts[0], parts[1]) : ("", name)
        guard !isInDropped, spaces[prefix] == SVGAllowList.namespace else { return .dropped }
        if SVGAllowList.transparentElements.contains(local) { return .transparent }
        guard SVGAllowList.elements.contains(local) else { return .dropped }
        // Written into the elements, rules for paper would hold on a screen.
        if local == "style", !isForScreens(attributes) { return .dropped }
        var element = SVGElement(name: local)
        for attribute in attributes {
            guard let kept = cleaned(attribute, spaces), element.attribute(kept.name) == nil else { continue }
            // Of two parts with one id the first is meant.
            if kept.name == "id" { guard ids.insert(kept.value).inserted else { continue } }
            element.attributes.append(kept)
        }
        return .kept(element)
    }

    private static func isForScreens(_ sheet: [XMLReader.Attribute]) -> Bool {
        sheet.allSatisfy { attribute in
            switch attribute.name {
            case "media":
                attribute.value.lowercased().split(separator: ",", omittingEmptySubsequences: false).contains {
                    ["", "all", "screen"].contains($0.filter { !$0.isWhitespace })
                }
            case "type": ["", "text/css"].contains(attribute.value.lowercased().filter { !$0.isWhitespace })
            default: true
            }
        }
    }

    private static func cleaned(_ attribute: XMLReader.Attribute, _ spaces: XMLNamespaces) -> XMLReader.Attribute? {
        let value: String?
        switch attribute.name {
        case "id":
            value = SVGValue.name(attribute.value)
        case "class":
            let classes = attribute.value.split(separator: " ").compactMap { SVGValue.name($0) }
            value = classes.isEmpty ? nil : classes.joined(separator: " ")
        case "style":
            let declarations = SVGStyle.declarations(attribute.value)
            value = declarations.isEmpty ? nil : declarations.map(\.text).joined(separator: ";")
        case "href":
            value = SVGValue.localName(attribute.value).map { "#" + $0 }
        case let name where name.hasSuffix(":href"):
            guard spaces[String(name.dropLast(5))] == SVGAllowList.linkNamespace else { return nil }
            return SVGValue.localName(attribute.value).map { .init(name: "xlink:href", value: "#" + $0) }
        case let name where SVGAllowList.attributes.contains(name):
            value = SVGValue.cleaned(attribute.value)
        default:
            value = nil
        }
        return value.map { .init(name: attribute.name, value: $0) }
    }

    private static func usesLinks(_ element: SVGElement) -> Bool {
        element.attribute("xlink:href") != nil || element.childElements.contains(where: usesLinks)
    }
}
