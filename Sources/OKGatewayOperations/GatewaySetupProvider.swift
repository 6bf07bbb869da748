#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OllamaOperations
public import OperationTracking

/// Sets up the gateway for local models: installs the Vibe CLI, finds and starts Ollama, pulls the models, and merges them into
/// the file of modes.
///
/// The set-up is a whole whose steps are operations of their own, each with a band of its progress. What is there already is
/// left alone, so running it again costs little. A step that fails ends the set-up when nothing after it makes sense; a missing
/// Ollama and a model that can't be pulled are warnings in the result.
public struct GatewaySetupProvider: OperationProvider {
    /// What is wanted.
    public struct Request: Codable, Sendable, Hashable {
        /// The models, by name; `nil` for the usual ones (``GatewaySettings/models``). At most 50.
        public var models: [String]?

        /// Makes a request.
        public init(models: [String]? = nil) {
            self.models = models
        }
    }

    /// What a set-up came to.
    public struct Output: Codable, Sendable, Hashable {
        /// The steps in their order.
        public var steps: [SetupStep]
        /// What could not be done, and what to do about it.
        public var warnings: [String]
        /// The names under which Ollama has the models that were wanted.
        public var models: [String]
        /// The file of modes.
        public var modesFile: String
    }

    /// What is kept for a set-up that is taken up again.
    private struct Progress: Codable {
        var steps: [SetupStep] = []
        /// What became of each model, by its name.
        var pulled: [String: String?] = [:]

        mutating func add(_ step: SetupStep) {
            if let index = steps.firstIndex(where: { $0.name == step.name }) {
                // That there was nothing left to be done says less than that it was done before.
                if step.status != .skipped { steps[index] = step }
            } else {
                steps.append(step)
            }
        }

        func has(_ name: String) -> Bool { steps.contains { $0.name == name && $0.status != .warning } }
    }

    /// `ok_setup`.
    public static let operationType = OperationType.okSetup

    private let settings: GatewaySettings
    private let steps: GatewaySetupSteps

    /// Makes a provider.
    ///
    /// - Parameters:
    ///   - settings: where things are and go.
    ///   - steps: how it is done; `nil` for the usual way.
    public init(_ settings: GatewaySettings, steps: GatewaySetupSteps? = nil) {
        self.settings = settings
        self.steps = steps ?? GatewaySetupSteps(settings)
    }

    /// A set-up pauses where it is, between steps and within them; may be started over HTTP; and is one operation for equal
    /// requests with equal settings. Others may run beside it: they take turns at the file of modes.
    public var traits: ProviderTraits {
        ProviderTraits(
            pausing: .inPlace,
            resumeCost: "A pull that was paused goes on from what has arrived.",
            mayBeStartedOverHTTP: true,
            isUnique: true
        )
    }

    /// One model. Without any named, the usual ones are wanted.
    public var exampleRequest: Request? { Request(models: ["llama3.2"]) }

    /// Fractions: the parts' bands.
    public var unit: OperationUnit { .fraction }

    /// `Set up the gateway`, with the models where they were named.
    public func description(of request: Request) -> String {
        guard let models = request.models else { return "Set up the gateway" }
        let names = models.prefix(10).map { String($0.prefix(60)).printable }
        return "Set up the gateway with \(names.isEmpty ? "no models" : names.joined(separator: ", "))"
            + (models.count > 10 ? " and \(models.count - 10) more" : "")
    }

    /// Refuses what can't be models' names, and too many of them.
    public func validate(_ request: Request) throws { _ = try wanted(request) }

    /// What is installed with what and where, the server, and the file of modes; and the usual models for a request that names
    /// none.
    public func uniqueScope(of request: Request) -> String {
        let places = [
            settings.ollama.address.url, settings.modesFile, settings.venv ?? "", settings.python,
            settings.package.withoutURLSecrets,
            settings.command,
        ]
        return (places + (request.models == nil ? settings.models.map(\.name) : [])).joined(separator: "\n")
    }

    /// Sets up.
    ///
    /// - Throws: `OperationFailure` of the step without which the rest makes no sense.
    @concurrent
    public func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output {
        let models = try wanted(request)
        var plan = SetupPlan(models: models, statistics: settings.statistics)
        var progress =
            handle.resumeState.flatMap { try? JSONDecoder().decode(Progress.self, from: Data($0)) } ?? Progress()

        if !progress.has("install_vibe") {
            let stage = try await begin("install_vibe", handle, plan)
            finish(try await steps.installVibe(stage), stage, handle, &plan, &progress)
        }
        let isReady = try await readyOllama(handle, &plan, &progress)
        for (index, model) in models.enumerated() where !progress.has("pull \(model.name)") {
            let count = "\(index + 1) of \(models.count)"
            let stage = try await begin("pull \(model.name)", handle, plan, phase: "pull", "\(model.name) (\(count))")
            guard isReady else {
                let step = SetupStep(
                    "pull \(model.name)",
                    .warning,
                    "\(model.name): not pulled, since Ollama isn't there."
                )
                progress.pulled[model.name] = .some(nil)
                finish(step, stage, handle, &plan, &progress)
                continue
            }
            let (step, name) = try await steps.pullModel(stage, model)
            progress.pulled[model.name] = .some(name)
            finish(step, stage, handle, &plan, &progress)
        }
        let results = models.map { PulledModel($0, pulled: progress.pulled[$0.name] ?? nil) }
        let stage = try await begin("merge_modes", handle, plan)
        for step in try await steps.mergeModes(stage, results) { finish(step, stage, handle, &plan, &progress) }
        return Output(
            steps: progress.steps,
            warnings: progress.steps.filter { $0.status == .warning }.map(\.detail),
            models: results.compactMap(\.pulled),
            modesFile: settings.modesFile
        )
    }

    /// Whether there is an Ollama that answers. What was true before an interruption may not be any more, so this is looked at
    /// anew each time.
    private func readyOllama(
        _ handle: OperationHandle,
        _ plan: inout SetupPlan,
        _ progress: inout Progress
    ) async throws -> Bool {
        let finding = try await begin("find_ollama", handle, plan)
        let (found, place) = try await steps.findOllama(finding)
        finish(found, finding, handle, &plan, &progress)
        let starting = try await begin("start_ollama", handle, plan)
        let step: SetupStep
        switch place {
        case .answers(let version):
            step = SetupStep("start_ollama", .skipped, "Ollama \(version.printable) answers already.")
        case .missing: step = SetupStep("start_ollama", .skipped, "There is no Ollama to start.")
        case .program(let program): step = try await steps.startOllama(starting, program)
        }
        finish(step, starting, handle, &plan, &progress)
        if case .missing = place { return false }
        return step.status != .warning
    }

    private func begin(
        _ name: String,
        _ handle: OperationHandle,
        _ plan: SetupPlan,
        phase: String? = nil,
        _ message: String? = nil
    ) async throws -> SetupStage {
        try await handle.checkpoint()
        handle.setPhase(phase ?? name, message: message)
        return SetupStage(handle: handle, band: plan.band(of: name))
    }

    private func finish(
        _ step: SetupStep,
        _ stage: SetupStage,
        _ handle: OperationHandle,
        _ plan: inout SetupPlan,
        _ progress: inout Progress
    ) {
        if step.status == .done { plan.use(stage.band) }
        progress.add(step)
        if step.status == .warning { handle.setMessage(step.detail) }
        // More steps than can be kept only means that a set-up taken up again looks at all of them.
        if let json = try? JSONEncoder().encode(progress) { try? handle.saveResumeState(Array(json)) }
    }

    private func wanted(_ request: Request) throws(OperationFailure) -> [GatewayModel] {
        guard let names = request.models else { return settings.models }
        guard names.count <= 50, Set(names).count == names.count else {
            throw OperationFailure(.invalidRequest, "A set-up takes at most 50 models, each named once: name fewer.")
        }
        for name in names {
            let isName =
                (1...200).contains(name.utf8.count)
                && name.unicodeScalars.allSatisfy { !$0.movesText && !$0.properties.isWhitespace }
            guard isName else {
                throw OperationFailure(
                    .invalidRequest,
                    "A model's name has 1 to 200 printable characters without spaces, such as `qwen2.5:0.5b`."
                )
            }
        }
        return names.map { GatewayModel.named($0, among: settings.models) }
    }
}

extension String {
    /// The text without what would move a terminal's cursor.
    var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.movesText ? "\u{FFFD}" : $0 }))
    }
}
