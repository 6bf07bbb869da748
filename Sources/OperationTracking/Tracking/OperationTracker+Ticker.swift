extension OperationTracker {
    /// One task looks at all active operations a few times a second, measures resources less often, and ends when there are
    /// none.
    ///
    /// It holds the tracker only while it looks, so that a tracker with a forgotten operation can still go away.
    func startTicker() {
        let clock = clock
        let interval = configuration.tickInterval
        Task { [weak self] in
            while true {
                do { try await clock.sleep(for: interval) } catch { return }
                guard let self, self.tick() else { return }
                await self.sampleResourcesIfDue()
            }
        }
    }

    /// Looks at every active operation once.
    ///
    /// - Returns: whether there was any.
    func tick() -> Bool {
        guard let cells = registry.cellsToTick() else { return false }
        let time = CellTime(clock)
        var addedCost = CountedCost()
        for cell in cells {
            let outcome = cell.tick(at: time) { pastRuns(of: cell.type, like: $0) }
            addedCost = addedCost + outcome.addedCost
            if outcome.isWorthRecording { enqueueRecord(of: cell) }
            if outcome.hasChanged {
                broadcaster.announce(.updated) { cell.snapshot(at: time.monotonic) }
            }
        }
        if addedCost != CountedCost() { registry.addCost(addedCost) }
        announceHealth()
        return true
    }
}
