extension HTTPRequest {
    /// Refuses whatever could not be sent as it is, above all what would let a value end its line and begin another.
    /// - Returns: where the request goes.
    func validated() throws(TransferError) -> Endpoint {
        guard method.rawValue.isHTTPToken else {
            throw TransferError(.invalidRequest, "The request's method is not a valid HTTP method.")
        }
        for field in headers {
            guard field.name.isHTTPToken else {
                throw TransferError(
                    .invalidRequest,
                    "A header of the request has a name that is not a valid HTTP field name."
                )
            }
            guard field.value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == UInt8(ascii: "\t") }) else {
                throw TransferError(
                    .invalidRequest,
                    "The value of the header \(field.name) holds a line break or another control character."
                )
            }
            guard !Self.framingHeaders.contains(where: field.name.equalsIgnoringASCIICase) else {
                throw TransferError(.invalidRequest, "The header \(field.name) follows from the body and can't be set.")
            }
        }
        let endpoint = try Endpoint(url: url)
        guard endpoint.scheme == "http" || endpoint.scheme == "https" else {
            throw TransferError(
                .unsupportedScheme,
                "The URL's scheme is \(endpoint.scheme); only http and https are supported."
            )
        }
        return endpoint
    }

    /// Two opinions about where a body ends are what request smuggling is made of (RFC 9112, section 11.2).
    private static let framingHeaders = ["Content-Length", "Transfer-Encoding"]
}

extension String {
    /// Whether this is a token of RFC 9110, section 5.6.2.
    fileprivate var isHTTPToken: Bool {
        !isEmpty
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default:
                    "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
