import OllamaOperations
public import OperationTracking

/// Starts `ollama serve`, in a session of its own that outlives the set-up, and waits until it answers.
struct StartOllama {
    let settings: GatewaySettings
    let program: String
    private static let name = "start_ollama"
    private static let interval = Duration.milliseconds(250)

    func run(_ stage: SetupStage) async throws -> SetupStep {
        let pid = try await stage.part(.startOllama, "Start Ollama") { part in
            let server = try DetachedServer(
                program: program,
                arguments: ["serve"],
                environment: settings.environment.merging(["OLLAMA_HOST": settings.ollama.address.url]) { $1 },
                log: settings.serverLog
            )
            do {
                try await waitUntilItAnswers(server, part)
            } catch {
                // What never answered is of no use to anyone.
                server.terminate()
                throw error
            }
            return server.pid
        }
        return SetupStep(Self.name, .done, "Ollama was started (pid \(pid)); it writes to \(settings.serverLog).")
    }

    private func waitUntilItAnswers(_ server: DetachedServer, _ part: OperationHandle) async throws {
        let start = part.clock.monotonicNanoseconds
        while true {
            try await part.checkpoint()
            if let ending = server.ending {
                throw OperationFailure(
                    .serverStartFailed,
                    "Ollama ended right after its start (\(ending)). \(server.lastLines) Its log: \(settings.serverLog)."
                )
            }
            if (try? await settings.ollama.version()) != nil { return }
            try Task.checkCancellation()
            let waited = Duration.nanoseconds(part.clock.monotonicNanoseconds - start)
            guard waited < settings.startLimit else {
                throw OperationFailure(
                    .timeout,
                    "Ollama was started and does not answer at \(settings.ollama.address) after \(settings.startLimit). \(server.lastLines) Its log: \(settings.serverLog)."
                )
            }
            part.setMessage("Waiting until it answers at \(settings.ollama.address)")
            try await part.clock.sleep(for: Self.interval)
        }
    }
}

extension OperationFailure.Code {
    /// A server that was started ended before it answered.
    public static let serverStartFailed = Self(rawValue: "server_start_failed")
}
