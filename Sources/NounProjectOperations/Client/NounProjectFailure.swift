public import OperationTracking
import OperationTransfer

extension OperationFailure.Code {
    /// The key is good, but its plan doesn't allow what was asked for.
    public static let notPermitted = Self(rawValue: "not_permitted")
    /// No more calls are allowed until a later hour, day or month.
    public static let quotaExhausted = Self(rawValue: "quota_exhausted")
}

/// Turns the API's refusals into failures that say what to do. No key, link or header is in any of them.
enum NounProjectFailure {
    static func failure(
        _ status: Int,
        _ headers: HTTPHeaders,
        _ answer: JSONValue?,
        saying said: String,
        doing task: String,
        at now: Int64
    ) -> OperationFailure {
        let retryAfter = headers.retryAfter(at: now)
        switch status {
        case 401:
            return OperationFailure(
                .unauthorized,
                "The Noun Project refuses the key (HTTP 401\(said)). Check NOUNPROJECT_API_KEY and NOUNPROJECT_API_SECRET (https://thenounproject.com/developers), and this machine's clock: a signature holds for some minutes only."
            )
        case 403, 429:
            let usage = answer.map { NounProjectUsage(answer: $0) }
            if let (window, quota) = usage?.tightest, quota.remaining == 0 {
                return exhausted(quota, window, at: now)
            }
            guard status == 429 else {
                return OperationFailure(
                    .notPermitted,
                    "The Noun Project does not let this key \(task) (HTTP 403\(said)). See what its plan allows at https://thenounproject.com/developers; a free one has icons in the public domain only."
                )
            }
            return rateLimited(said, retryAfter, at: now)
        case 404:
            return OperationFailure(
                .notFound,
                "The Noun Project can't \(task): there is no such thing (HTTP 404\(said))."
            )
        case 500...599:
            return OperationFailure(
                .serverError,
                "The Noun Project has a fault of its own (HTTP \(status)\(said)). Try again later.",
                retryAfter: retryAfter
            )
        default:
            return OperationFailure(
                .protocolError,
                "The answer was HTTP \(status)\(said), which the Noun Project's API never gives. Check NOUNPROJECT_API_BASE."
            )
        }
    }

    /// The host behind an icon's signed link has not seen our key: what it refuses is the link.
    static func failure(ofLink status: Int, _ headers: HTTPHeaders, at now: Int64) -> OperationFailure {
        switch status {
        case 401, 403:
            OperationFailure(
                .notPermitted,
                "The icon's link is refused (HTTP \(status)): it works for an hour. Search again for a new one."
            )
        case 429: rateLimited("", headers.retryAfter(at: now), at: now)
        default: failure(status, headers, nil, saying: "", doing: "follow the icon's link", at: now)
        }
    }

    private static func rateLimited(_ said: String, _ retryAfter: Duration?, at now: Int64) -> OperationFailure {
        let time = retryAfter.map { "after \(Moments.text(now + min($0.nanoseconds / 1_000_000, Moments.longest)))" }
        return OperationFailure(
            .rateLimited,
            "The Noun Project asks to be called less often (HTTP 429\(said)). Try again \(time ?? "later").",
            retryAfter: retryAfter
        )
    }

    static func exhausted(
        _ quota: NounProjectUsage.Quota,
        _ window: NounProjectUsage.Window,
        at now: Int64
    ) -> OperationFailure {
        exhausted(
            "\(quota.limit) calls of the key's \(window.rawValue) quota",
            until: Moments.end(of: window, at: now),
            at: now
        )
    }

    static func exhausted(_ what: String, until end: Int64, at now: Int64) -> OperationFailure {
        OperationFailure(
            .quotaExhausted,
            "All \(what) are used. Start it again after \(Moments.text(end)): what is there already is not fetched again.",
            retryAfter: .milliseconds(max(0, end - now))
        )
    }

    static let foreign = OperationFailure(
        .protocolError,
        "What answers doesn't speak the Noun Project's API. Check NOUNPROJECT_API_BASE, and whether a proxy or a sign-in page stands before it."
    )

    /// What the answer says of why, fit to be shown: short, and without links' signatures. A text that repeats one of the secrets, as
    /// one for those who look for a wrong signature may, is left out as a whole.
    static func text(of answer: JSONValue?, without secrets: [String]) -> String {
        let text = answer?["message"]?.text ?? answer?["error"]?.text ?? answer?["error"]?["message"]?.text
        guard let text else { return "" }
        let shown = String(String.UnicodeScalarView(text.unicodeScalars.filter { !$0.movesText }))
        guard !secrets.contains(where: shown.lowercased().contains) else { return "" }
        return ": " + shown.bounded(toBytes: 200).withoutURLSecrets
    }
}
