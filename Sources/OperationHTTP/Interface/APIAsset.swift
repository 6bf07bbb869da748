/// A file that is served as it is, such as a part of a dashboard.
public struct APIAsset: Sendable {
    /// Where it is found, such as `/` or `/dashboard/main.js`.
    public var path: String
    /// What it is, such as `text/html; charset=utf-8`.
    public var contentType: String
    /// The file.
    public var bytes: [UInt8]

    /// Makes an asset.
    public init(path: String, contentType: String, bytes: [UInt8]) {
        self.path = path
        self.contentType = contentType
        self.bytes = bytes
    }
}

extension APIAsset {
    /// Nothing but this server's own files and answers may be loaded or asked by its pages, and no other page may frame them.
    private static let contentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        + "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

    var route: APIRoute {
        let tag = EntityTag.of(bytes)
        let headers = [
            APIHeader("Content-Type", contentType), APIHeader("Cache-Control", "no-cache"), APIHeader("ETag", tag),
            APIHeader("Content-Security-Policy", Self.contentPolicy), APIHeader("Referrer-Policy", "no-referrer"),
        ]
        let answer = APIResponse(headers: headers, body: .bytes(bytes))
        return .now("GET", path, access: .open) { call in EntityTag.answer(answer, tag: tag, to: call.request) }
    }
}
