public import OperationTracking

extension SeedIconsProvider {
    /// Which icons are wanted.
    public struct Request: Codable, Sendable, Hashable {
        /// What to search for, by category: up to 100 categories with 1,000 terms in all. A category's name is 1 to 64 ASCII
        /// letters, digits, spaces, `-` and `_`; a term is 1 to 200 bytes without control characters.
        public var categories: [String: [String]]
        /// How many icons for each term, 1 to 5.
        public var perTerm: Int
        /// The form that their files have.
        public var format: IconFormat
        /// Whether to take icons in the public domain only, which is all that a free key may download.
        public var onlyPublicDomain: Bool
        /// The folder to fill, an absolute path, where the provider allows a request to choose; `nil` for the provider's own.
        public var root: String?

        /// Makes a request.
        public init(
            categories: [String: [String]] = Self.defaultCategories,
            perTerm: Int = 1,
            format: IconFormat = .svg,
            onlyPublicDomain: Bool = false,
            root: String? = nil
        ) {
            self.categories = categories
            self.perTerm = perTerm
            self.format = format
            self.onlyPublicDomain = onlyPublicDomain
            self.root = root
        }

        /// The icons that every interface needs.
        public static let defaultCategories: [String: [String]] = [
            "ui": ["check", "close", "menu", "plus", "minus"],
            "nav": ["arrow left", "arrow right", "arrow up", "arrow down"],
            "system": ["settings", "warning", "info", "alert"],
            "media": ["play", "pause", "stop", "record"],
        ]

        private enum CodingKeys: String, CodingKey {
            case categories
            case perTerm = "per_term"
            case format, root
            case onlyPublicDomain = "only_public_domain"
        }

        /// Reads a request; what is left out is as ``init(categories:perTerm:format:onlyPublicDomain:root:)`` has it.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                categories: try values.decodeIfPresent([String: [String]].self, forKey: .categories)
                    ?? Self.defaultCategories,
                perTerm: try values.decodeIfPresent(Int.self, forKey: .perTerm) ?? 1,
                format: try values.decodeIfPresent(IconFormat.self, forKey: .format) ?? .svg,
                onlyPublicDomain: try values.decodeIfPresent(Bool.self, forKey: .onlyPublicDomain) ?? false,
                root: try values.decodeIfPresent(String.self, forKey: .root)
            )
        }
    }

    /// What a run came to.
    public struct Output: Codable, Sendable, Hashable {
        /// How many icons were fetched.
        public var added: Int
        /// How many were there already.
        public var skipped: Int
        /// What could not be had: the first 50.
        public var errors: [Problem]
        /// How many more could not be had.
        public var errorsOmitted: Int
        /// The folder.
        public var root: String

        private enum CodingKeys: String, CodingKey {
            case added, skipped, errors, root
            case errorsOmitted = "errors_omitted"
        }
    }

    /// Something that could not be had.
    public struct Problem: Codable, Sendable, Hashable {
        /// The category of the term; empty for a problem with the folder.
        public var category: String
        /// The term that was searched; empty for a problem with the folder.
        public var term: String
        /// The icon; `nil` when it was the term that failed.
        public var id: String?
        /// The kind of failure.
        public var code: OperationFailure.Code
        /// What happened, in a sentence.
        public var reason: String
    }
}

/// A term, and where its icons go.
struct SeedTerm: Hashable {
    var category: String
    var folder: String
    var term: String
}

extension SeedIconsProvider.Request {
    /// The terms in the order in which they are searched, each once.
    ///
    /// - Throws: `OperationFailure` (`invalid_request`) that says which name can't be one.
    func validatedTerms() throws(OperationFailure) -> [SeedTerm] {
        guard (1...5).contains(perTerm) else { throw Self.invalid("per_term is 1 to 5, not \(perTerm).") }
        guard (1...100).contains(categories.count) else {
            throw Self.invalid("There are 1 to 100 categories, not \(categories.count).")
        }
        var folders: [String: String] = [:]
        var seen: Set<SeedTerm> = []
        var terms: [SeedTerm] = []
        for (category, list) in categories.sorted(by: { $0.key < $1.key }) {
            guard let folder = IconName.folder(ofCategory: category) else {
                throw Self.invalid(
                    "The category '\(category.shown)' can't be one: use 1 to 64 letters, digits, spaces, - and _, beginning with a letter or digit."
                )
            }
            if let other = folders.updateValue(category, forKey: folder) {
                throw Self.invalid("The categories '\(other)' and '\(category)' would share a folder: rename one.")
            }
            for term in list {
                guard term.canBeSearched else {
                    throw Self.invalid(
                        "The term '\(term.shown)' in '\(category)' can't be searched: use 1 to 200 bytes of text."
                    )
                }
                let entry = SeedTerm(category: category, folder: folder, term: term)
                if seen.insert(entry).inserted { terms.append(entry) }
            }
        }
        guard (1...1000).contains(terms.count) else {
            throw Self.invalid("There are 1 to 1000 terms, not \(terms.count).")
        }
        return terms
    }

    private static func invalid(_ message: String) -> OperationFailure { OperationFailure(.invalidRequest, message) }
}

extension String {
    fileprivate var canBeSearched: Bool {
        (1...200).contains(utf8.count) && !unicodeScalars.contains { $0.movesText }
            && unicodeScalars.contains { !$0.properties.isWhitespace }
    }

    /// A name that was refused, short and on one line.
    fileprivate var shown: String {
        let plain = String.UnicodeScalarView(bounded(toBytes: 60).unicodeScalars.map { $0.movesText ? "?" : $0 })
        return String(plain) + (utf8.count > 60 ? "…" : "")
    }
}
