import OperationTracking

/// How the whole's progress is shared among the steps, by how long each takes: as it took before at the median, else a guess.
struct SetupPlan {
    private let weights: PhaseWeights
    /// Up to where the whole's bands have been given out.
    private var reached = 0.0

    /// Bytes a second, where nothing is known: a home connection of 160 Mbit/s.
    private static let guessedRate = 20_000_000.0
    /// From how many operations figures are believed.
    private static let enough = 5

    init(models: [GatewayModel], statistics: [HistoryStatistics]) {
        func median(_ type: OperationType, or guess: Double) -> Double {
            statistics.first { $0.type == type && $0.completed >= Self.enough }?.p50Seconds ?? guess
        }
        let rate = statistics.first { $0.type == .pullModel && $0.completed >= Self.enough }?.meanBytesPerSecond
        let pulls = models.map { model in
            let bytes = Double(model.approximateBytes ?? 4_000_000_000)
            return (name: "pull \(model.name)", weight: bytes / max(1, rate ?? Self.guessedRate))
        }
        weights = PhaseWeights(
            [
                (name: "install_vibe", weight: median(.install, or: 60)),
                (name: "find_ollama", weight: 1),
                (name: "start_ollama", weight: median(.startOllama, or: 3)),
            ] + pulls + [(name: "merge_modes", weight: 1)]
        )
    }

    /// The band of a step: from where the one before has ended, so that what is skipped leaves no gap.
    func band(of step: String) -> Range<Double> {
        let end = weights.band(of: step).upperBound
        return reached..<max(reached, end)
    }

    /// Says that a step has used its band.
    mutating func use(_ band: Range<Double>) { reached = band.upperBound }
}

extension OperationType {
    /// Looking for Ollama, or installing it.
    static let findOllama = OperationType("find_ollama")
    /// Starting Ollama's server.
    static let startOllama = OperationType("start_ollama")
    /// Merging models into the gateway's modes.
    static let mergeModes = OperationType("merge_modes")
}
