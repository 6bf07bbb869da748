/// A group of measurements that are made in one run.
struct Suite: Sendable {
    let name: String
    /// Its argument is whether it is to be quick: few repetitions, to see that it works; the figures then mean little.
    let report: Work<Report>
    /// Never on the main actor, which would have to be come back to after each wait.
    typealias Work<Result> = @concurrent @Sendable (_ isQuick: Bool) async throws -> Result

    init(name: String, report: @escaping Work<Report>) {
        self.name = name
        self.report = report
    }

    init(name: String, _ measure: @escaping Work<[Measurement]>) {
        self.init(name: name, report: { Report(suite: name, try await measure($0)) })
    }

    /// Those that need nothing but this machine.
    static let all = [core, summary, events, memory, history, sampler, ports, http, serving, transfer]
}
