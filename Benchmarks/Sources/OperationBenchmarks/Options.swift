import Foundation

/// What is to be measured and what becomes of it, as the command line says.
struct Options {
    var isHelp = false
    var isQuick = false
    var isJSON = false
    /// Whether the scorer of the time remaining is to be checked, and nothing measured.
    var isCheck = false
    var traces: String?
    var dump: String?
    var root: String?
    private(set) var suites: [Suite] = []
    private(set) var baseline: [Report]?

    static let usage = """
        usage: operation-benchmarks SUITE… [--quick] [--json] [--compare BASELINE] [--write ROOT] [--traces DIR [--dump FILE]]
               operation-benchmarks eta --check [--traces DIR]

        suites: \(Suite.all.map(\.name).joined(separator: ", ")), eta, or all
        --quick             few repetitions: shows that everything runs, and little else
        --json              a line of JSON for each suite instead of a table
        --compare BASELINE  names what is worse than in a file that --json wrote, or missing in one of them, and exits with 1 if anything is
        --write ROOT        puts the figures into the README and the documentation of the repository at ROOT
        --traces DIR        where the traces are that eta judges the time remaining by; without it, all leaves eta out
        --dump FILE         what eta's estimator said at every judged moment, as CSV
        --check             whether eta's scorer comes to values that others have computed
        """

    /// - Throws: ``Refusal`` when the words make no sense, or the baseline can't be read.
    init(_ arguments: some Sequence<String>) throws(Refusal) {
        var words = Array(arguments)[...]
        var names: [String] = []
        var isAll = false
        var path: String?
        while let word = words.popFirst() {
            switch word {
            case "--help", "-h": isHelp = true
            case "--quick": isQuick = true
            case "--json": isJSON = true
            case "--check": isCheck = true
            case "--traces": traces = try Self.value(of: word, &words)
            case "--dump": dump = try Self.value(of: word, &words)
            case "--write": root = try Self.value(of: word, &words)
            case "--compare": path = try Self.value(of: word, &words)
            case "all": isAll = true
            case "eta": names.append(word)
            case _ where Suite.all.contains { $0.name == word }: names.append(word)
            case _ where word.hasPrefix("-"): throw Refusal("There is no option \(word); --help lists them.")
            default: throw Refusal("There is no suite \(word); --help lists them.")
            }
        }
        guard !isHelp else { return }
        guard isAll || !names.isEmpty else { throw Refusal(Self.usage) }
        let isEta = names.contains("eta") || (isAll && traces != nil)
        if isCheck, isAll || names != ["eta"] || isQuick || isJSON || dump != nil || root != nil || path != nil {
            throw Refusal("--check is for eta alone, and takes nothing but --traces.")
        }
        try refuseWhatMakesNoSense(isEta: isEta)
        suites = Suite.all.filter { isAll || names.contains($0.name) }
        if isEta, !isCheck { suites.append(.eta(traces: traces ?? "", dump: dump)) }
        if isAll, !isEta { leaveOut("eta: it needs traces, --traces DIR.") }
        if let path { baseline = try Report.baseline(path, for: suites.map(\.name)) }
    }

    private static func value(of option: String, _ words: inout ArraySlice<String>) throws(Refusal) -> String {
        guard let value = words.popFirst(), !value.isEmpty else {
            throw Refusal("\(option) needs a value; see --help.")
        }
        return value
    }

    private func refuseWhatMakesNoSense(isEta: Bool) throws(Refusal) {
        if isQuick, root != nil {
            throw Refusal("--write is not for figures of --quick, which mean little: leave out one of them.")
        }
        if !isEta, traces != nil || dump != nil {
            throw Refusal("--traces and --dump are for the suite eta, which isn't to be measured.")
        }
        if isEta, traces == nil, !isCheck { throw Refusal("eta needs traces: --traces DIR.") }
    }
}
