/// A request as it came, before anything in it is believed.
public struct APIRequest: Sendable {
    /// The method, such as `GET`, in the letters in which it came.
    public var method: String
    /// The path and the query exactly as they stood in the request line, still percent-encoded.
    public var target: String
    /// The header fields. Only those in ``readHeaders`` are looked at, so a server need not pass the others.
    public var headers: [APIHeader]
    /// The whole body, without any transfer coding.
    public var body: [UInt8]
    /// Who asks, as far as the server can tell.
    public var caller: APICaller

    /// Makes a request.
    public init(
        method: String,
        target: String,
        headers: [APIHeader] = [],
        body: [UInt8] = [],
        caller: APICaller = .unknown
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.caller = caller
    }

    /// The names of all header fields that are ever looked at.
    public static let readHeaders = [
        "Host", "Origin", "Authorization", "Cookie", "Content-Type", "If-None-Match", "Last-Event-ID",
        "Access-Control-Request-Method",
    ]

    /// The value of a header field; `nil` when there is none. Names are compared without regard to case.
    func header(_ name: String) -> String? {
        headers.first { $0.isNamed(name) }?.value
    }

    /// Takes another host for the one that the request names; a request that names none, or several, stays wrong.
    mutating func replaceHost(by host: String) {
        for index in headers.indices where headers[index].isNamed("Host") { headers[index].value = host }
    }

    func headerCount(_ name: String) -> Int {
        headers.count { $0.isNamed(name) }
    }
}

/// One header field of a request or a response.
public struct APIHeader: Sendable, Hashable {
    /// The name.
    public var name: String
    /// The value.
    public var value: String

    /// Makes a header field.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    func isNamed(_ other: String) -> Bool {
        name.utf8.count == other.utf8.count
            && zip(name.utf8, other.utf8).allSatisfy {
                $0 == $1 || ($0 ^ $1 == 0x20 && (0x61...0x7A).contains($0 | 0x20))
            }
    }
}

/// What a server can tell of the one who asks. Facts only: what follows from them is decided here.
public struct APICaller: Sendable, Hashable {
    /// Whether the client is a process on this machine that the same user, or root, runs. `false` where that can't be told.
    public var isSameUser: Bool
    /// Where the request came from, for the audit log, such as `127.0.0.1`.
    public var address: String

    /// Makes a caller.
    public init(isSameUser: Bool, address: String) {
        self.isSameUser = isSameUser
        self.address = address
    }

    /// One of whom nothing is known.
    public static let unknown = APICaller(isSameUser: false, address: "unknown")
}
