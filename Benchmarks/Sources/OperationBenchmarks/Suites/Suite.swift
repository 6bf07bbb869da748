/// A group of measurements that are made in one run.
struct Suite: Sendable {
    let name: String
    /// Its argument is whether it is to be quick: few repetitions, to see that it works; the figures then mean little.
    let report: @Sendable (_ isQuick: Bool) async throws -> Report

    init(name: String, report: @escaping @Sendable (_ isQuick: Bool) async throws -> Report) {
        self.name = name
        self.report = report
    }

    init(name: String, _ measure: @escaping @Sendable (_ isQuick: Bool) async throws -> [Measurement]) {
        self.init(name: name, report: { Report(suite: name, try await measure($0)) })
    }

    /// Those that need nothing but this machine.
    static let all = [core, summary, events, memory, history, sampler, ports, http, serving, transfer]
}
