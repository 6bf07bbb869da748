public import OperationTracking

extension SQLiteHistoryStore {
    /// How a store works.
    public struct Options: Sendable {
        /// How long and how much is kept. Applied in the background: after opening, and then every thousand endings.
        public var retention: RetentionPolicy

        /// How long what is enqueued waits for company; with the transaction itself this stays under 50 ms.
        var groupingDelay = Duration.milliseconds(20)
        /// How long a transaction is kept open for as many calls of `commit` as shared the last one, and how long the first of them
        /// is waited for before that: about what a transaction takes. Whoever was answered together comes again together, and
        /// each transaction costs the disk the same.
        var companyDelay = Duration.microseconds(500)
        /// How long another process that writes, or reads what was left half-written, is waited for. One that stands still is not
        /// waited for: what is written meanwhile is kept in memory.
        package var lockPatience = CommitLock.patience
        /// How often a store that is degraded tries to write what it keeps.
        var retryInterval = Duration.seconds(3)
        /// How many pages of 4 KiB the WAL has when it is moved into the file.
        var checkpointPages = 1024
        /// How long processes that were left behind have to end by themselves.
        var terminationGrace = Duration.seconds(2)
        var endingsBetweenPrunes = 1000
        /// What happens before each commit: tests make writes fail here.
        var beforeCommit: @Sendable () throws -> Void = {}

        /// Makes options.
        public init(retention: RetentionPolicy = .default) {
            self.retention = retention
        }
    }
}
