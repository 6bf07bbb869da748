public import OperationTracking

/// Fills a folder with icons from the Noun Project: searches each term, downloads what is found, cleans it, and keeps whom to name for
/// it in `index.json`.
///
/// An icon's file is `<root>/<category>/<slug of the term>-<id>.<format>`; what is there already is not fetched again, and a term for which
/// as many icons are there as are wanted isn't even searched. Amounts are items: icons wanted so far, fewer when a search finds
/// fewer. Phases are `searching`, `downloading` and `waiting for quota`.
///
/// A term or an icon that fails is an entry in the result, not the end. A refused key, a full disk, a lost connection and a
/// used-up quota are the end; started again, the run goes on from what is there.
public struct SeedIconsProvider: OperationProvider {
    /// `seed`.
    public static let operationType = OperationType.seed

    private let client: NounProjectClient
    private let root: String
    private let allowsAnyRoot: Bool
    private let budget: CallBudget

    /// Makes a provider.
    ///
    /// - Parameters:
    ///   - client: calls the API.
    ///   - root: the folder to fill; it is made when it isn't there.
    ///   - allowsAnyRoot: whether a request may name another folder; such a provider can't be started over HTTP.
    ///   - limits: how often the API may be called by all operations of this provider.
    ///   - countFile: a file that keeps the count of calls over restarts, and over all processes that name the same file; `nil` to
    ///     count anew with each provider. Its folder must be there.
    public init(
        client: NounProjectClient,
        root: String,
        allowsAnyRoot: Bool = false,
        limits: CallLimits = CallLimits(),
        countFile: String? = nil
    ) {
        self.client = client
        self.root = root
        self.allowsAnyRoot = allowsAnyRoot
        budget = CallBudget(limits: limits, path: countFile)
    }

    /// Seeding pauses where it is, may be started over HTTP unless a request may name any folder, and is one operation for equal
    /// requests.
    public var traits: ProviderTraits {
        ProviderTraits(
            pausing: .inPlace,
            resumeCost: "A search for the term that it is at; no icon is fetched twice.",
            mayBeStartedOverHTTP: !allowsAnyRoot,
            isUnique: true
        )
    }

    /// Two terms in a category.
    public var exampleRequest: Request? { Request(categories: ["animals": ["cat", "dog"]], perTerm: 2) }

    /// How many icons for how many terms.
    public func description(of request: Request) -> String {
        let terms = request.categories.values.reduce(0) { $0 + $1.count }
        let each = request.perTerm == 1 ? "an icon" : "\(request.perTerm) icons"
        return "Seed \(each) for each of \(terms) \(terms == 1 ? "term" : "terms")"
    }

    /// Refuses categories, terms, a number or a folder that can't be one.
    public func validate(_ request: Request) throws {
        _ = try request.validatedTerms()
        _ = try root(of: request)
    }

    /// The folder, where the request names none, and where the icons come from.
    public func uniqueScope(of request: Request) -> String {
        client.address.url + (request.root == nil ? " " + root : "")
    }

    /// Fills the folder.
    ///
    /// - Throws: `OperationFailure`: `invalid_request`, `unauthorized`, `not_permitted` when the key's plan has no search,
    ///   `quota_exhausted` with when to go on, `rate_limited`, `disk_full`, `storage_error`,
    ///   a failure of the network, or the first entry's code when not one icon could be had.
    @concurrent
    public func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output {
        let terms = try request.validatedTerms()
        let folder = try IconFolder(path: try root(of: request))
        var run = try SeedRun(request, terms, folder, client, budget, handle)
        return try await run.run()
    }

    private func root(of request: Request) throws(OperationFailure) -> String {
        guard let root = request.root else { return root }
        guard allowsAnyRoot else {
            throw OperationFailure(.invalidRequest, "This service fills its own folder only: leave out `root`.")
        }
        guard root.hasPrefix("/"), root.utf8.count < 4096, !root.utf8.contains(0) else {
            throw OperationFailure(.invalidRequest, "`root` is the path of a folder from / on.")
        }
        return root
    }
}
