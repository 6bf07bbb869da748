import CCurl

/// Where a URL leads, as far as it may be shown to anyone: no user, no path, no query.
///
/// curl's own parser takes the URL apart, so that what is checked here is what curl will connect to.
struct Endpoint: Sendable, Hashable {
    let scheme: String
    /// The host; an IPv6 address in brackets.
    let host: String
    let port: String

    /// Parses an absolute URL of any scheme.
    init(url: String) throws(TransferError) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw TransferError(.invalidURL, "The URL holds a space, a line break or another control character.")
        }
        guard let parser = curl_url() else {
            throw TransferError(.transportFailed, "There is no memory to parse a URL.")
        }
        defer { curl_url_cleanup(parser) }
        let result = curl_url_set(parser, CURLUPART_URL, url, UInt32(CURLU_NON_SUPPORT_SCHEME))
        guard result == CURLUE_OK else {
            let reason = String(cString: curl_url_strerror(result))
            throw TransferError(
                .invalidURL,
                "The URL is not valid: \(reason). It must look like http://host:port/path."
            )
        }
        scheme = Self.part(CURLUPART_SCHEME, of: parser)
        host = Self.part(CURLUPART_HOST, of: parser)
        port = Self.part(CURLUPART_PORT, of: parser)
    }

    private static func part(_ part: CURLUPart, of parser: OpaquePointer) -> String {
        var value: UnsafeMutablePointer<CChar>?
        guard curl_url_get(parser, part, &value, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let value else { return "" }
        defer { curl_free(value) }
        return String(cString: value)
    }
}

extension Endpoint: CustomStringConvertible {
    var description: String { "\(host):\(port)" }
}
