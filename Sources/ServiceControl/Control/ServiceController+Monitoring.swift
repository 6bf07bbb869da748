import OperationTracking

extension ServiceController {
    /// Whether services are looked at from time to time.
    public var isMonitoring: Bool { monitoring != nil }

    /// Looks at all services from time to time, and notes in the audit log when one's status has changed. Nothing is done
    /// about it. Does nothing when it is done already.
    ///
    /// - Parameter interval: the time between two looks, at least a second.
    public func startMonitoring(every interval: Duration = .seconds(30)) {
        guard monitoring == nil else { return }
        let interval = max(interval, .seconds(1))
        monitoring = Task { [weak self, clock] in
            while !Task.isCancelled {
                await self?.lookForChanges()
                guard (try? await clock.sleep(for: interval)) != nil else { return }
            }
        }
    }

    /// Looks no more.
    public func stopMonitoring() {
        monitoring?.cancel()
        monitoring = nil
    }

    func lookForChanges() async {
        guard let reports = try? await status() else { return }
        for report in reports {
            let name = report.service.name
            let before = lastStatus.updateValue(report.status, forKey: name)
            // The first look says how things are, not what has happened.
            guard let before, before != report.status else { continue }
            let detail = report.detail.map { ": \($0)" } ?? ""
            note(
                "service.\(report.status.rawValue)",
                by: "monitor",
                nil,
                "\(name), which was \(before.rawValue)\(detail)"
            )
        }
        lastStatus = lastStatus.filter { entry in reports.contains { $0.service.name == entry.key } }
    }
}
