/// Refuses a file in which parts that use parts that use parts grow beyond all bounds, or go round in a circle.
///
/// The cost of an element is how many elements are drawn for it, estimated from above: its own, its children's, those of the parts it
/// uses, and for each of these again those of the paint, since paint is inherited. Where there are markers, a shape counts as often
/// as it has vertices.
struct SVGReferences {
    private enum Known {
        case underway
        case cost(Int)
    }

    private static let maximumCost = 1_000_000
    private static let maximumDepth = 250

    private var byID: [String: SVGElement] = [:]
    /// The paint that a part with an id inherits from what stands round it.
    private var inherited: [String: Set<String>] = [:]
    private var costs: [String: Known] = [:]
    /// Whether the file has markers: one may be drawn at every vertex of every shape.
    private var hasMarkers = false
    /// How many paints were looked at so far.
    private var work = 0

    static func check(_ root: SVGElement) throws(FileRefusal) {
        var references = SVGReferences()
        try references.collectParts(root, inheriting: [])
        _ = try references.cost(of: root, depth: 0)
    }

    private mutating func collectParts(
        _ element: SVGElement,
        inheriting paint: Set<String>
    ) throws(FileRefusal) {
        if element.name == "marker" { hasMarkers = true }
        if let id = element.attribute("id") {
            byID[id] = element
            // A gradient's stops are not painted.
            inherited[id] = element.isGradient ? [] : paint
        }
        var paint = paint
        for (property, value) in values(of: element) where Self.isPaint(property) {
            let names = SVGValue.references(in: value)
            guard !names.isEmpty else { continue }
            try spend(paint.count)
            paint.formUnion(names)
        }
        for child in element.childElements { try collectParts(child, inheriting: paint) }
    }

    private mutating func cost(of element: SVGElement, depth: Int) throws(FileRefusal) -> Int {
        let id = element.attribute("id")
        if let id, let known = costs[id] {
            guard case .cost(let cost) = known else { throw FileRefusal("its parts use each other in a circle") }
            return cost
        }
        guard depth < Self.maximumDepth else {
            throw FileRefusal("its parts use each other more than \(Self.maximumDepth) deep")
        }
        if let id { costs[id] = .underway }
        var own = hasMarkers ? element.vertices : 1
        for child in element.childElements { own = try sum(own, cost(of: child, depth: depth + 1)) }
        var painters = id.flatMap { inherited[$0] } ?? []
        for (property, value) in values(of: element) {
            let names = property == "href" ? [String(value.dropFirst())] : SVGValue.references(in: value)
            if Self.isPaint(property) {
                painters.formUnion(names)
            } else {
                for target in names.compactMap({ byID[$0] }) { own = try sum(own, cost(of: target, depth: depth + 1)) }
            }
        }
        try spend(painters.count)
        var paint = 1
        for target in painters.compactMap({ byID[$0] }) {
            let cost = try cost(of: target, depth: depth + 1)
            // A gradient is one colour, however many stops it has.
            if !target.isGradient { paint = try sum(paint, cost) }
        }
        let (cost, overflow) = own.multipliedReportingOverflow(by: paint)
        guard !overflow, cost <= Self.maximumCost else { throw Self.tooMuch }
        if let id { costs[id] = .cost(cost) }
        return cost
    }

    /// All properties that hold for an element, with its links as `href`.
    private func values(of element: SVGElement) -> [(String, String)] {
        var values: [(String, String)] = []
        for attribute in element.attributes {
            switch attribute.name {
            case "href", "xlink:href": values.append(("href", attribute.value))
            case "style": values += SVGStyle.declarations(attribute.value).map { ($0.property, $0.value) }
            default: values.append((attribute.name, attribute.value))
            }
        }
        return values
    }

    private static func isPaint(_ property: String) -> Bool {
        property == "fill" || property == "stroke" || property.hasPrefix("marker")
    }

    private mutating func spend(_ amount: Int) throws(FileRefusal) {
        work += amount
        guard work <= Self.maximumCost else { throw Self.tooMuch }
    }

    private func sum(_ first: Int, _ second: Int) throws(FileRefusal) -> Int {
        guard first + second <= Self.maximumCost else { throw Self.tooMuch }
        return first + second
    }

    private static let tooMuch = FileRefusal(
        "its parts use each other so often that more than \(maximumCost) would be drawn"
    )
}

extension SVGElement {
    fileprivate var isGradient: Bool { name == "linearGradient" || name == "radialGradient" }

    /// At least as many as the shape has vertices, and at least 1: each is one letter or one number of its data.
    fileprivate var vertices: Int {
        var count = 1
        var isInNumber = false
        for byte in (attribute("d") ?? attribute("points") ?? "").utf8 {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            if isDigit ? !isInNumber : (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) { count += 1 }
            isInNumber = isDigit
        }
        return count
    }
}
