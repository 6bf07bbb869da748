#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// How far a run is: what it takes to go on, and what becomes its result.
struct SeedState: Codable, Hashable {
    /// How many terms are done.
    var terms = 0
    /// The icons of the next term that are done.
    var icons: [String] = []
    /// How many icons the next term is to give; `nil` before that is known better than by the request.
    var planned: Int?
    var added = 0
    /// How many of those that are done were there already.
    var present = 0
    var skipped = 0
    var errors: [SeedIconsProvider.Problem] = []
    var errorsOmitted = 0
    /// How many icons are done, had or not, of those that are to be had in all.
    var done = 0
    var total: Int

    private static let errorLimit = 50

    init(total: Int) {
        self.total = total
    }

    /// Takes up what an earlier run of the same request has saved.
    init(resuming json: [UInt8]?, total: Int) {
        self = json.flatMap { try? JSONDecoder().decode(SeedState.self, from: Data($0)) } ?? SeedState(total: total)
    }

    var json: [UInt8]? { (try? JSONEncoder().encode(self)).map(Array.init) }

    mutating func beginNextTerm() {
        terms += 1
        icons = []
        planned = nil
    }

    func output(root: String) -> SeedIconsProvider.Output {
        SeedIconsProvider.Output(
            added: added,
            skipped: skipped,
            errors: errors,
            errorsOmitted: errorsOmitted,
            root: root
        )
    }

    mutating func add(_ problem: SeedIconsProvider.Problem) {
        if errors.count < Self.errorLimit { errors.append(problem) } else { errorsOmitted += 1 }
    }
}

extension SeedIconsProvider.Problem {
    init(_ term: SeedTerm, _ id: String?, _ code: OperationFailure.Code, _ reason: String) {
        self.init(
            category: term.category,
            term: term.term,
            id: id.map { $0.bounded(toBytes: 20) },
            code: code,
            reason: reason.bounded(toBytes: 300)
        )
    }
}
