/// Finds the route of a method and a path. A path without braces goes before one with.
struct RouteTable: Sendable {
    private struct Pattern: Sendable {
        /// `nil` stands for any part.
        let parts: [String?]
        let names: [String]
        var routes: [String: APIRoute]
    }

    enum Match: Sendable {
        case route(APIRoute, captures: [String: String])
        case otherMethods([String])
        case none
    }

    private var fixed: [String: [String: APIRoute]] = [:]
    private var patterns: [Int: [Pattern]] = [:]
    /// All routes, in no order.
    private(set) var all: [APIRoute] = []

    /// Takes routes; a later one takes the place of an earlier one with the same method and path.
    init(_ routes: [APIRoute]) {
        for route in routes { add(route) }
        all = fixed.values.flatMap(\.values) + patterns.values.joined().flatMap(\.routes.values)
    }

    private mutating func add(_ route: APIRoute) {
        guard route.path.contains("{") else {
            fixed[route.path, default: [:]][route.method] = route
            return
        }
        let parts = Self.parts(of: route.path)
        let names = parts.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
        let wanted = parts.map { $0.hasPrefix("{") ? nil : $0 }
        var candidates = patterns[parts.count] ?? []
        if let index = candidates.firstIndex(where: { $0.parts == wanted }) {
            candidates[index].routes[route.method] = route
        } else {
            candidates.append(Pattern(parts: wanted, names: names, routes: [route.method: route]))
        }
        patterns[parts.count] = candidates
    }

    func match(_ method: String, _ target: RequestTarget) throws(APIProblem) -> Match {
        if let routes = fixed[target.path] { return Self.match(method, routes, [:]) }
        let segments = try target.segments()
        for pattern in patterns[segments.count] ?? [] {
            guard zip(pattern.parts, segments).allSatisfy({ $0 == nil || $0 == $1 }) else { continue }
            let values = zip(pattern.parts, segments).filter { $0.0 == nil }.map(\.1)
            let captures = Dictionary(uniqueKeysWithValues: zip(pattern.names, values))
            return Self.match(method, pattern.routes, captures)
        }
        return .none
    }

    private static func match(_ method: String, _ routes: [String: APIRoute], _ captures: [String: String]) -> Match {
        if let route = routes[method == "HEAD" ? "GET" : method] { return .route(route, captures: captures) }
        var methods = routes.keys.sorted()
        if routes["GET"] != nil { methods.append("HEAD") }
        return .otherMethods(methods + ["OPTIONS"])
    }

    private static func parts(of path: String) -> [String] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    }
}
