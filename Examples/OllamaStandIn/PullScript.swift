/// The course of a model's pull, before it is known what is kept already and what goes wrong.
struct PullScript: Sendable {
    let layers: [ScriptedModel.Layer]
    let link: LinkSchedule
    let registryLatency: Nanoseconds
    let hashingRate: Int
    let lineInterval: Nanoseconds

    func hashingTime(of bytes: Int) -> Nanoseconds {
        Nanoseconds(Double(bytes) / Double(hashingRate) * 1e9)
    }
}
