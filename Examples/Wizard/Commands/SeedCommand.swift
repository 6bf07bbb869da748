import NounProjectOperations
import OperationTracking
import OperationTransfer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct SeedCommand: Command {
    static let name = "seed"
    static let summary = "fill a folder with icons from the Noun Project"
    static let operands = ""
    static let options: [Option] = [
        Option(
            "categories",
            "FILE",
            help: "JSON with the terms of each category, {\"ui\": [\"check\", …], …} (default: a basic set)"
        ),
        Option("per-term", "N", help: "how many icons for each term, 1 to 5 (default 1)"),
        Option("root", "DIR", help: "the folder to fill (default: icons in the data folder)"),
        Option("format", "F", help: "svg (default) or png"),
        Option("public-domain", help: "icons in the public domain only, which is all that a free key may download"),
        .detach, .data, .json,
    ]

    private let request: SeedIconsProvider.Request
    private let root: String
    private let data: String
    private let json: Bool
    private let handOver: HandOver
    private let isOwnRoot: Bool

    init(_ options: ParsedOptions) throws {
        try options.refuseOperands()
        data = try DataDirectory.path(options).absolutePath
        root = (options.text("root") ?? data + "/icons").absolutePath
        isOwnRoot = root != data + "/icons"
        guard let format = IconFormat(rawValue: options.text("format") ?? "svg") else {
            throw UsageError("--format takes svg or png, not '\(options.text("format") ?? "")'.")
        }
        request = SeedIconsProvider.Request(
            categories: try options.text("categories").map(Self.categories)
                ?? SeedIconsProvider.Request.defaultCategories,
            perTerm: try options.number("per-term", in: 1...5) ?? 1,
            format: format,
            onlyPublicDomain: options.has("public-domain"),
            root: root
        )
        json = options.has("json")
        handOver = HandOver(options, data: data)
    }

    func run() async throws -> ExitCode {
        if let code = try await handedOver() { return code }
        let client = try Self.client()
        let session = try await Session(data: data, actor: "wizard seed")
        let provider = SeedIconsProvider(
            client: client,
            root: root,
            allowsAnyRoot: true,
            countFile: data + "/noun-project-calls.json"
        )
        // As with a pull, someone waits at a prompt.
        let retry = RetryPolicy(maximumWaiting: .seconds(10))
        let code = try await session.run(request, with: provider, retry: retry, json: json, report: Self.report)
        await session.tracker.close()
        return code
    }

    /// A server has its own keys, and fills its own folder.
    private func handedOver() async throws -> ExitCode? {
        var request = request
        request.root = nil
        let isOwnRoot = isOwnRoot
        return try await handOver.run(
            request,
            with: SeedIconsProvider.self,
            obstacle: { _ in isOwnRoot ? "the server fills `icons` in the data folder only" : nil },
            report: Self.report
        )
    }

    private static func client() throws -> NounProjectClient {
        do throws(OperationFailure) {
            let environment = ProcessInfo.processInfo.environment
            return try NounProjectClient(environment: environment, transport: CurlTransport())
        } catch {
            throw UsageError(error.message)
        }
    }

    @Sendable
    private static func report(_ output: SeedIconsProvider.Output) {
        Console.line("\(output.added) added, \(output.skipped) there already, in \(output.root.printable)")
        for problem in output.errors {
            let place = problem.category.isEmpty ? "" : "'\(problem.term)' in \(problem.category): "
            Console.error("wizard: \(place)\(problem.reason)".printable)
        }
        if output.errorsOmitted > 0 { Console.error("wizard: and \(output.errorsOmitted) more.") }
    }

    /// The terms of each category, alone or as `categories` of a whole request.
    private static func categories(_ path: String) throws -> [String: [String]] {
        struct Whole: Decodable { var categories: [String: [String]] }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw UsageError("--categories: there is no file '\(path)' that can be read.")
        }
        let decoder = JSONDecoder()
        if let whole = try? decoder.decode(Whole.self, from: bytes) { return whole.categories }
        guard let categories = try? decoder.decode([String: [String]].self, from: bytes) else {
            throw UsageError(
                "--categories takes a file with JSON such as {\"ui\": [\"check\", \"close\"]}; '\(path)' has other."
            )
        }
        return categories
    }
}
