import CCurl

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension EasyHandle {
    /// Sets all that a request says, and what holds for every request.
    func apply(_ request: HTTPRequest, userAgent: String) throws(TransferError) {
        try set(CURLOPT_URL, request.url)
        try allowHTTPOnly()
        // A proxy named by the environment is for the way out; what listens on this machine is not behind it. curl alone would
        // send even that, with its credentials, to the proxy. It looks at this list anew for each redirect.
        try set(CURLOPT_NOPROXY, Self.hostsWithoutProxy)
        try set(CURLOPT_FOLLOWLOCATION, request.maximumRedirects > 0 ? 1 : 0)
        try set(CURLOPT_MAXREDIRS, max(0, request.maximumRedirects))
        try set(CURLOPT_CONNECTTIMEOUT_MS, request.timeouts.connect.wholeMilliseconds)

        // No signals: how they are handled is the program's affair.
        try set(CURLOPT_NOSIGNAL, 1)
        try doNotWaitForResolver()
        // Tells a stream that is silent by right from a peer that is gone.
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        // A proxy's answer to CONNECT is not the server's.
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try set(CURLOPT_BUFFERSIZE, 128 << 10)

        try applyMethodAndBody(of: request)
        try set(headerLines: Self.headerLines(for: request.headers, userAgent: userAgent))
    }

    private func applyMethodAndBody(of request: HTTPRequest) throws(TransferError) {
        switch request.method {
        case .get where request.body.isEmpty:
            break
        case .head where request.body.isEmpty:
            try set(CURLOPT_NOBODY, 1)
        case .post:
            try applyBody(request.body)
        case let method:
            if !request.body.isEmpty { try applyBody(request.body) }
            // Last, since the settings above choose a method too.
            try set(CURLOPT_CUSTOMREQUEST, method.rawValue)
        }
    }

    private func applyBody(_ body: [UInt8]) throws(TransferError) {
        // The size first: it is how much curl copies.
        try set(CURLOPT_POSTFIELDSIZE_LARGE, offset: body.count)
        if body.isEmpty {
            try set(CURLOPT_COPYPOSTFIELDS, "")
        } else {
            try set(CURLOPT_COPYPOSTFIELDS, copying: body)
        }
    }

    /// In curl's notation (CURLOPT_HTTPHEADER(3)): "Name: value" sends a field, "Name;" one without a value, and "Name:" none at
    /// all, not even curl's own.
    private static func headerLines(for headers: HTTPHeaders, userAgent: String) -> [String] {
        var lines = headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        if headers["User-Agent"] == nil { lines.append("User-Agent: \(userAgent)") }
        // curl would wait a second for the answer to "Expect: 100-continue", and would call any body a form.
        for name in ["Expect", "Content-Type"] where headers[name] == nil { lines.append("\(name):") }
        return lines
    }
}

extension Duration {
    /// In milliseconds, rounded up, and at least 1: a 0 would mean curl's default.
    fileprivate var wholeMilliseconds: Int {
        // curl takes a C long; a day is beyond anything a connection waits for.
        Int((min(max(self, .milliseconds(1)), .seconds(86_400)) / .milliseconds(1)).rounded(.up))
    }
}

extension EasyHandle {
    /// The hosts that the environment says are reached without a proxy, and this machine.
    fileprivate static var hostsWithoutProxy: String {
        let given = (getenv("no_proxy") ?? getenv("NO_PROXY")).map { String(cString: $0) } ?? ""
        // For curl a star stands for all hosts when it stands alone.
        if given == "*" { return given }
        return (given.isEmpty ? "" : given + ",") + "localhost,127.0.0.0/8,127.0.0.1,::1"
    }
}
