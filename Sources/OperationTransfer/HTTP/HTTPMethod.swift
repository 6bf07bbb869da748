/// An HTTP request method (RFC 9110, section 9). Methods are case-sensitive.
public struct HTTPMethod: RawRepresentable, Sendable, Hashable {
    /// The method as it stands in the request line.
    public let rawValue: String

    /// Any method. One that is not a token of RFC 9110, section 5.6.2, is refused when it is sent.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Reads a resource.
    public static let get = HTTPMethod(rawValue: "GET")
    /// Reads a resource's head alone; the answer never has a body.
    public static let head = HTTPMethod(rawValue: "HEAD")
    /// Hands a resource something to process.
    public static let post = HTTPMethod(rawValue: "POST")
    /// Replaces a resource.
    public static let put = HTTPMethod(rawValue: "PUT")
    /// Changes a part of a resource (RFC 5789).
    public static let patch = HTTPMethod(rawValue: "PATCH")
    /// Removes a resource.
    public static let delete = HTTPMethod(rawValue: "DELETE")
}
