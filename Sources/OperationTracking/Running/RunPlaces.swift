/// The places in which work runs: a pure value.
///
/// A whole that runs stands waiting for its parts, so it lends its place to one of them at a time. Otherwise wholes could take
/// all places, and wait for ever for parts that find none.
struct RunPlaces: Sendable {
    private struct Holder {
        let type: OperationType
        /// Whose place it has; `nil` when it has one of its own.
        var lender: OperationID?
        var borrower: OperationID?
        /// Whether it counts among those of its type, and isn't counted with a lender of the same type.
        var countsForType: Bool
    }

    private let limit: Int
    private let limitByType: [OperationType: Int]
    private var holders: [OperationID: Holder] = [:]
    private var usedByType: [OperationType: Int] = [:]
    /// Places that are taken: operations that run, without those that have lent theirs.
    private(set) var used = 0

    /// - Parameters:
    ///   - limit: how many places there are; what is below 1 counts as 1.
    ///   - limitByType: how many of them a type may have, in the same way.
    init(limit: Int, limitByType: [OperationType: Int]) {
        self.limit = max(1, limit)
        self.limitByType = limitByType.mapValues { max(1, $0) }
    }

    /// What runs.
    var ids: some Collection<OperationID> { holders.keys }
    var runningCount: Int { holders.count }

    /// Whether an operation could begin now.
    func hasRoom(for type: OperationType, partOf whole: OperationID?) -> Bool {
        let lender = lender(whole)
        guard used < limit || lender != nil else { return false }
        return lender?.type == type || usedByType[type, default: 0] < limitByType[type] ?? .max
    }

    /// Gives an operation a place, its whole's if that has one to lend.
    mutating func take(_ id: OperationID, _ type: OperationType, partOf whole: OperationID?) {
        let lender = lender(whole)
        var holder = Holder(type: type, countsForType: lender?.type != type)
        if let whole, lender != nil {
            holder.lender = whole
            holders[whole]?.borrower = id
        } else {
            used += 1
        }
        if holder.countsForType { usedByType[type, default: 0] += 1 }
        holders[id] = holder
    }

    /// Takes an operation's place back. A borrowed one goes back to the lender; one that is lent stays with the borrower.
    mutating func give(_ id: OperationID) {
        guard let holder = holders.removeValue(forKey: id) else { return }
        if let lender = holder.lender { holders[lender]?.borrower = holder.borrower }
        if let borrower = holder.borrower { holders[borrower]?.lender = holder.lender }
        if holder.lender == nil, holder.borrower == nil { used -= 1 }
        guard holder.countsForType else { return }
        if let borrower = holder.borrower, holders[borrower]?.countsForType == false {
            holders[borrower]?.countsForType = true
        } else {
            usedByType[holder.type, default: 1] -= 1
        }
    }

    private func lender(_ whole: OperationID?) -> Holder? {
        whole.flatMap { holders[$0] }.flatMap { $0.borrower == nil ? $0 : nil }
    }
}
