#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
public import OperationTracking

/// Runs any command as an operation: an install, a script, a conversion.
///
/// The command runs in a session and process group of its own, without a terminal: standard input is `/dev/null`, and a
/// program that would ask for a password fails instead of waiting for one. Its last line of output is the operation's
/// message. Progress is a fraction, whatever the output counts: amounts there are rounded, so bytes made of them would only
/// look exact.
///
/// The operation lasts as long as the process. Nothing may outlive its operation unseen, so what the process leaves behind in
/// its session is ended with it, as by a cancellation. What has made a session of its own (`setsid`, a daemon) is no longer
/// found, and lives on.
///
/// - Pausing stops the whole session with SIGSTOP, and resuming lets it go on with SIGCONT.
/// - Cancelling sends SIGTERM, after ``grace`` SIGKILL, and the operation is cancelled when the process has really ended.
public struct ProcessProvider: OperationProvider {
    /// `process`.
    public static let operationType = OperationType("process")

    /// How long a command that is asked to end has for it, 5 s unless changed.
    public var grace: Duration = .seconds(5)
    /// How long the output is read on after the process has ended, for what others of its session still say.
    var drainTime: Duration = .milliseconds(200)

    /// Makes a provider.
    public init() {}

    /// A command pauses in place, and is never started over HTTP.
    public var traits: ProviderTraits { ProviderTraits(pausing: .inPlace) }

    /// A build.
    public var exampleRequest: Request? { Request(command: ["make", "-C", "/srv/site"], name: "Build the site") }

    /// Fractions.
    public var unit: OperationUnit { .fraction }

    /// The request's name, or the command as one would type it, in at most 200 printable characters.
    public func description(of request: Request) -> String { request.title }

    /// Refuses a command, a directory or an environment that the system could not be told.
    public func validate(_ request: Request) throws { _ = try request.launch(in: [:]) }

    /// The program's name, without its folder and its arguments.
    public func estimateFeature(of request: Request) -> String {
        request.command.first?.split(separator: "/").last.map(String.init) ?? ""
    }

    /// Runs the command to its end.
    ///
    /// - Throws: `OperationFailure`: `exit_nonzero`, `signalled` or `exit_unknown` with the last lines of output, `not_found`
    ///   or `permission_denied` for the program or the directory, `invalid_request`.
    @concurrent
    public func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output {
        let launch = try request.launch(in: ProcessInfo.processInfo.environment)
        let report = OutputReport(handle: handle, rule: request.progress)
        let child = ChildProcess(clock: handle.clock, grace: grace, drainTime: drainTime) { report.take($0) }
        try Task.checkCancellation()
        handle.setProcess(try await child.start(launch), ownsGroup: true)
        let ending = await withTaskGroup(of: Void.self) { group in
            group.addTask { await Self.followRequests(to: child, handle) }
            defer { group.cancelAll() }
            return await child.end
        }
        handle.setProcess(nil)
        report.finish()
        if await child.wasAskedToEnd { throw CancellationError() }
        if let failure = OperationFailure(ending, lastLines: report.lastLines(10)) { throw failure }
        try await Self.waitWhilePaused(handle)
        return Output(exitCode: 0, outputTail: report.text, outputBytes: report.seen)
    }

    private static func followRequests(to child: ChildProcess, _ handle: OperationHandle) async {
        do {
            while try await handle.waitForRequest() != .cancel {
                // A process that has ended meanwhile has nothing to stop, and its ending waits until it is to go on.
                await child.pause()
                try await handle.checkpoint()
                await child.resume()
            }
        } catch {
            // Cancelled, or the process has ended: then there is nothing to be asked any more.
        }
        await child.terminate()
    }

    /// Someone else may let a stopped process go on (`kill -CONT`), and it may end. Paused work can't complete, so the
    /// ending waits for the operation to be resumed.
    private static func waitWhilePaused(_ handle: OperationHandle) async throws {
        while handle.operation.status == .paused {
            _ = try await handle.waitForRequest()
            try await handle.checkpoint()
        }
    }
}
