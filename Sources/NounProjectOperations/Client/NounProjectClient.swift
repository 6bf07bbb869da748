#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
public import OperationTracking
public import OperationTransfer

/// The part of the Noun Project's API v2 that operations need (https://api.thenounproject.com/documentation.html).
///
/// Every request is signed by OAuth 1.0a without a user's token, with parameters in its query. Errors are `OperationFailure`s that
/// say what to do; neither they nor anything else shows a key or a signed link.
public struct NounProjectClient: Sendable {
    /// Where the API is.
    public let address: NounProjectAddress
    private let credentials: NounProjectCredentials
    private let transport: any HTTPTransport
    private let clock: any TrackingClock

    /// The most bytes of an answer that are read, but for a download's.
    private static let answerLimit = 4 << 20

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - credentials: what requests are signed with.
    ///   - address: where the API is.
    ///   - transport: how requests are made.
    ///   - clock: gives the time that signatures are good for.
    public init(
        credentials: NounProjectCredentials,
        address: NounProjectAddress = .default,
        transport: any HTTPTransport,
        clock: any TrackingClock = .system
    ) {
        self.credentials = credentials
        self.address = address
        self.transport = transport
        self.clock = clock
    }

    /// Makes a client from `NOUNPROJECT_API_KEY`, `NOUNPROJECT_API_SECRET` and `NOUNPROJECT_API_BASE`.
    ///
    /// - Throws: `OperationFailure`: `unauthorized` when the key or the secret is missing, `invalid_request` when the base is no
    ///   address.
    public init(environment: [String: String], transport: any HTTPTransport) throws(OperationFailure) {
        try self.init(
            credentials: NounProjectCredentials(environment: environment),
            address: NounProjectAddress(environment: environment),
            transport: transport
        )
    }

    /// Finds icons (`GET /v2/icon`).
    ///
    /// - Parameters:
    ///   - term: what they should show.
    ///   - limit: how many at most; `nil` for as many as the API gives.
    ///   - onlyPublicDomain: whether to find icons in the public domain only.
    ///   - thumbnailSize: the length of a thumbnail's side in pixels: 42, 84 or 200; `nil` for the API's own choice.
    ///   - includesLinks: whether each comes with a link to its SVG, where the key's plan allows that.
    ///   - page: ``NounProjectPage/nextPage`` of the page before; `nil` for the first.
    /// - Throws: `OperationFailure`.
    public func search(
        _ term: String,
        limit: Int? = nil,
        onlyPublicDomain: Bool = false,
        thumbnailSize: Int? = nil,
        includesLinks: Bool = false,
        page: String? = nil
    ) async throws -> NounProjectPage {
        var query = [OAuthSignature.Parameter("query", term)]
        if let limit { query.append(.init("limit", String(limit))) }
        if onlyPublicDomain { query.append(.init("limit_to_public_domain", "1")) }
        if let thumbnailSize { query.append(.init("thumbnail_size", String(thumbnailSize))) }
        if includesLinks { query.append(.init("include_svg", "1")) }
        if let page { query.append(.init("next_page", page)) }
        return NounProjectPage(try await get("/v2/icon", query, doing: "search"))
    }

    /// What is known of one icon (`GET /v2/icon/{id}`).
    ///
    /// - Throws: `OperationFailure`; `not_found` where there is none, `invalid_request` for what can't be an id.
    public func icon(_ id: String) async throws -> NounProjectIcon {
        let answer = try await get("/v2/icon/\(Self.segment(id))", doing: "show the icon")
        guard let icon = answer["icon"].flatMap(NounProjectIcon.init) else { throw NounProjectFailure.foreign }
        return icon
    }

    /// An icon's file (`GET /v2/icon/{id}/download`), as it came: it may hold anything.
    ///
    /// - Parameters:
    ///   - id: the icon's id.
    ///   - format: the form that the file is to have.
    ///   - color: six hexadecimal digits; `nil` for black.
    ///   - size: the length of a PNG's side in pixels, 20 to 1200; `nil` for the API's own choice.
    ///   - limit: the most bytes that the file may have.
    /// - Throws: `OperationFailure`; `protocol_error` when the file has more bytes, without reading all of them, and
    ///   `invalid_request` for what can't be an id.
    public func download(
        _ id: String,
        format: IconFormat,
        color: String? = nil,
        size: Int? = nil,
        limit: Int = 1 << 20
    ) async throws -> [UInt8] {
        var query = [OAuthSignature.Parameter("filetype", format.rawValue)]
        if let color { query.append(.init("color", color)) }
        if let size { query.append(.init("size", String(size))) }
        // Base64 makes four bytes of three.
        let answer = try await get(
            "/v2/icon/\(Self.segment(id))/download",
            query,
            doing: "download the icon",
            limit: limit / 3 * 4 + 65_536
        )
        let file = answer["base64_encoded_file"]?.text.flatMap {
            Data(base64Encoded: $0, options: .ignoreUnknownCharacters)
        }
        guard let file, !file.isEmpty else { throw NounProjectFailure.foreign }
        guard file.count <= limit else { throw Self.tooLarge(limit) }
        return Array(file)
    }

    /// A collection (`GET /v2/collection/{id or slug}`).
    ///
    /// - Throws: `OperationFailure`; `not_found` where there is none, `invalid_request` for what can't be an id or a slug.
    public func collection(_ idOrSlug: String) async throws -> NounProjectCollection {
        let answer = try await get("/v2/collection/\(Self.segment(idOrSlug))", doing: "show the collection")
        guard let collection = answer["collection"].flatMap(NounProjectCollection.init) else {
            throw NounProjectFailure.foreign
        }
        return collection
    }

    /// How much of its quota the key has used (`GET /v2/client/usage`).
    ///
    /// - Throws: `OperationFailure`.
    public func usage() async throws -> NounProjectUsage {
        NounProjectUsage(answer: try await get("/v2/client/usage", doing: "show the usage"))
    }

    /// The file behind an icon's signed link, as it came; `nil` for an icon without one.
    ///
    /// - Throws: `OperationFailure`; `not_permitted` when the link leads to another's host or has expired, `rate_limited` when its
    ///   host asks to be called less often.
    func fileBehindLink(of icon: NounProjectIcon, limit: Int = 1 << 20) async throws -> [UInt8]? {
        guard let link = icon.link else { return nil }
        guard address.mayLead(to: link) else {
            throw OperationFailure(
                .notPermitted,
                "The icon's link leads to a host that is not the Noun Project's, so it is not followed."
            )
        }
        // The link carries its own signature; ours would tell the host behind it who asks.
        let (status, headers, body) = try await send(Self.request(link), limit: limit)
        guard status == 200 else {
            throw NounProjectFailure.failure(ofLink: status, headers, at: clock.wallMilliseconds)
        }
        return body
    }

    private func get(
        _ path: String,
        _ query: [OAuthSignature.Parameter] = [],
        doing task: String,
        limit: Int = answerLimit
    ) async throws -> JSONValue {
        let url = address.url + path
        let line = query.map { "\($0.name.oauthEncoded)=\($0.value.oauthEncoded)" }.joined(separator: "&")
        var request = Self.request(line.isEmpty ? url : "\(url)?\(line)")
        let now = clock.wallMilliseconds
        let authorization = credentials.authorization(
            request.method.rawValue,
            url,
            query: query,
            timestamp: now / 1000,
            nonce: NounProjectCredentials.nonce()
        )
        request.headers["Authorization"] = authorization.field
        request.headers["Accept"] = "application/json"
        let (status, headers, body) = try await send(request, limit: limit)
        let answer = JSONValue(body)
        guard status == 200 else {
            let said = NounProjectFailure.text(of: answer, without: authorization.secrets)
            throw NounProjectFailure.failure(status, headers, answer, saying: said, doing: task, at: now)
        }
        guard let answer, answer.object != nil else { throw NounProjectFailure.foreign }
        return answer
    }

    /// An id or a slug as one part of a path. The two names that every path has lead out of theirs, however they are encoded.
    private static func segment(_ id: String) throws(OperationFailure) -> String {
        guard !id.isEmpty, id != ".", id != ".." else {
            throw OperationFailure(
                .invalidRequest,
                "'\(id)' is no id of the Noun Project: give one as a search shows it."
            )
        }
        return id.oauthEncoded
    }

    private static func request(_ url: String) -> HTTPRequest {
        var request = HTTPRequest(.get, url: url)
        request.timeouts.total = .seconds(60)
        request.timeouts.lowSpeed = LowSpeedLimit(bytesPerSecond: 1, for: .seconds(20))
        return request
    }

    private func send(_ request: HTTPRequest, limit: Int) async throws -> (Int, HTTPHeaders, [UInt8]) {
        do {
            let response = try await transport.send(request)
            if response.status == 200 { return (200, response.headers, try await response.body.collect(upTo: limit)) }
            // A refusal is one whatever its body is like.
            return (response.status, response.headers, (try? await response.body.collect(upTo: 65_536)) ?? [])
        } catch let error as TransferError where error.code == .bodyTooLarge {
            throw Self.tooLarge(limit)
        } catch let error as TransferError {
            throw error.operationFailure
        }
    }

    private static func tooLarge(_ limit: Int) -> OperationFailure {
        OperationFailure(
            .protocolError,
            "The answer has more than the \(limit) bytes that are allowed for it, so it was not read to its end."
        )
    }
}

extension NounProjectClient: CustomStringConvertible {
    /// Where the API is.
    public var description: String { "Noun Project client for \(address)" }
}
