/// How much of its quota a key has used, as the API tells it.
///
/// The API's answers have it in several shapes, which differ by version and plan: what can't be understood is left out.
public struct NounProjectUsage: Sendable, Hashable {
    /// The time after which a quota is full again.
    public enum Window: String, Sendable, Hashable, CaseIterable {
        /// An hour.
        case hourly
        /// A day.
        case daily
        /// A month.
        case monthly
    }

    /// How many calls a window allows and how many were made.
    public struct Quota: Sendable, Hashable {
        /// The calls allowed.
        public var limit: Int64
        /// The calls made.
        public var used: Int64
        /// The calls left, at least 0.
        public var remaining: Int64 { max(0, limit - used) }

        init?(limit: JSONValue?, used: JSONValue?) {
            guard let limit = limit?.integer, limit >= 0, let used = used?.integer, used >= 0 else { return nil }
            self.limit = limit
            self.used = used
        }
    }

    /// The quotas that the answer told of.
    public var quotas: [Window: Quota]

    /// The window with the fewest calls left, and its quota; `nil` when the answer told of none.
    public var tightest: (window: Window, quota: Quota)? {
        quotas.min { ($0.value.remaining, $0.key.rawValue) < ($1.value.remaining, $1.key.rawValue) }
            .map { ($0.key, $0.value) }
    }

    /// - Parameter json: a whole answer: its `usage_limits`, or the answer of `/v2/client/usage` in any of its shapes.
    init(answer json: JSONValue) {
        quotas = [:]
        let places = [json["usage_limits"], json["usage"], json]
        for window in Window.allCases {
            let name = window.rawValue
            let quota =
                places.lazy.compactMap { $0?[name] }.compactMap(Self.quota).first
                ?? Quota(limit: json["limits"]?[name], used: json["usage"]?[name])
            if let quota { quotas[window] = quota }
        }
    }

    private static func quota(_ json: JSONValue) -> Quota? {
        // Calls about one icon are counted apart from others, and are what there are fewer of.
        Quota(limit: json["limit"], used: json["usage"] ?? json["used"])
            ?? Quota(limit: json["icon_calls_limit"], used: json["icon_calls_used"])
            ?? Quota(limit: json["service_calls_limit"], used: json["service_calls_used"])
    }
}
