/// A group of measurements that are made in one run.
struct Suite: Sendable {
    let name: String
    /// - Parameter isQuick: few repetitions, to see that it works; the figures then mean little.
    let run: @Sendable (_ isQuick: Bool) async throws -> [Measurement]

    static let all = [core, summary, events, memory, history, sampler, ports, http, serving, transfer]
}
