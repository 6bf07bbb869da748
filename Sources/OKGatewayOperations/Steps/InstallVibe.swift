import OperationTracking
import ProcessOperations

/// Installs the Vibe CLI with pip, into a virtual environment where one is wanted.
struct InstallVibe {
    let settings: GatewaySettings
    private static let name = "install_vibe"

    func run(_ stage: SetupStage) async throws -> SetupStep {
        let folders = settings.venv.map { [$0 + "/bin"] } ?? Programs.path(in: settings.environment)
        if let there = Programs.find(settings.command, in: folders) {
            return SetupStep(Self.name, .skipped, "\(settings.command) is there already: \(there).")
        }
        guard !settings.package.hasPrefix("-") else {
            throw OperationFailure(
                .invalidRequest,
                "'\(settings.package.printable)' is an option and no package: name what pip is to install."
            )
        }
        let commands = commands
        do {
            try await stage.part(.install, "Install \(settings.package.withoutURLSecrets)", unit: .fraction) { part in
                for command in commands {
                    part.setPhase(nil, message: command.name)
                    _ = try await ProcessProvider().perform(command, reporting: part)
                }
            }
        } catch let failure as OperationFailure {
            throw explained(failure)
        }
        guard Programs.find(settings.command, in: folders) != nil else {
            return SetupStep(
                Self.name,
                .warning,
                "\(settings.package.withoutURLSecrets) is installed, and there is no command \(settings.command) in \(folders.joined(separator: ", ")): add the folder that pip puts commands in to PATH, or name the command that the package brings."
            )
        }
        return SetupStep(Self.name, .done, "\(settings.package.withoutURLSecrets) is installed.")
    }

    private var commands: [ProcessProvider.Request] {
        let python = settings.venv.map { $0 + "/bin/python" } ?? settings.python
        let install = request(
            [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", settings.package],
            "Install \(settings.package.withoutURLSecrets)"
        )
        // pip is the last thing that making an environment writes, so one that was broken off is made again.
        guard let venv = settings.venv, !Programs.isProgram(venv + "/bin/pip") else { return [install] }
        return [request([settings.python, "-m", "venv", venv], "Make the virtual environment"), install]
    }

    private func request(_ command: [String], _ name: String) -> ProcessProvider.Request {
        ProcessProvider.Request(command: command, name: name, environment: settings.environment)
    }

    private func explained(_ failure: OperationFailure) -> OperationFailure {
        var failure = failure
        if failure.message.contains("externally-managed-environment") {
            failure.message =
                "This Python belongs to the system, which doesn't let pip install into it: give a virtual environment (--venv DIR)."
        } else {
            failure.message = "\(settings.package.withoutURLSecrets) could not be installed. \(failure.message)"
        }
        return failure
    }
}
