/// An element that is kept, with what is kept of it.
struct SVGElement {
    enum Child {
        case element(SVGElement)
        case text(String)
    }

    var name: String
    var attributes: [XMLReader.Attribute] = []
    var children: [Child] = []

    var childElements: some Sequence<SVGElement> {
        children.lazy.compactMap { child in
            guard case .element(let element) = child else { return nil }
            return element
        }
    }

    /// The text between its tags.
    var text: String { children.map { if case .text(let text) = $0 { text } else { "" } }.joined() }

    func attribute(_ name: String) -> String? { attributes.first { $0.name == name }?.value }

    /// Whether there is anything to see, as far as that can be told.
    var draws: Bool { SVGAllowList.shapes.contains(name) || childElements.contains { $0.draws } }

    /// Writes the element as XML that HTML reads alike.
    func write(to output: inout [UInt8]) {
        output += "<\(name)".utf8
        for attribute in attributes {
            output += " \(attribute.name)=\"".utf8
            Self.escape(attribute.value, to: &output)
            output.append(UInt8(ascii: "\""))
        }
        guard !children.isEmpty else {
            output += "/>".utf8
            return
        }
        output.append(UInt8(ascii: ">"))
        for child in children {
            switch child {
            case .element(let element): element.write(to: &output)
            case .text(let text): Self.escape(text, to: &output)
            }
        }
        output += "</\(name)>".utf8
    }

    private static func escape(_ text: String, to output: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): output += "&amp;".utf8
            case UInt8(ascii: "<"): output += "&lt;".utf8
            case UInt8(ascii: ">"): output += "&gt;".utf8
            case UInt8(ascii: "\""): output += "&quot;".utf8
            default: output.append(byte)
            }
        }
    }
}
