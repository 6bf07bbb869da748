public import OperationTracking
import Synchronization

/// A provider whose work does what a test says, when the test says it.
///
/// ```swift
/// let provider = ScriptedProvider()
/// let running = try await runner.submit(.init("a"), to: provider)
/// provider.finish("a")
/// #expect(try await running.output == "a")
/// ```
///
/// Its work follows wishes at once: it pauses as its traits say, and stops when it is cancelled.
public final class ScriptedProvider: OperationProvider {
    /// Work that is known by a name.
    public struct Request: Codable, Sendable, Hashable {
        /// The name by which the test calls it.
        public var name: String

        /// Makes a request.
        public init(_ name: String) {
            self.name = name
        }
    }

    private enum Command: Sendable {
        case finish
        case fail(OperationFailure)
    }

    private struct State {
        var running: [String: Int] = [:]
        var peak = 0
        var starts: [String] = []
        var commands: [String: Command] = [:]
        var waiters: [String: [UInt64: CheckedContinuation<Command?, Never>]] = [:]
        var nextWaiter: UInt64 = 0
    }

    /// `scripted`.
    public static let operationType = OperationType("scripted")
    /// As given.
    public let traits: ProviderTraits
    private let state = Mutex(State())

    /// Makes a provider.
    public init(traits: ProviderTraits = ProviderTraits(pausing: .inPlace)) {
        self.traits = traits
    }

    /// One named `example`.
    public var exampleRequest: Request? { Request("example") }

    /// The name.
    public func description(of request: Request) -> String { request.name }

    /// Refuses an empty name.
    public func validate(_ request: Request) throws {
        guard !request.name.isEmpty else {
            throw OperationFailure(.invalidRequest, "Work has a name: give it one.")
        }
    }

    /// The names in the order in which their work began.
    public var starts: [String] { state.withLock { $0.starts } }

    /// How many run now.
    public var runningCount: Int { state.withLock { $0.running.values.reduce(0, +) } }

    /// The most that ever ran at once.
    public var peakRunningCount: Int { state.withLock { $0.peak } }

    /// Lets work return, now or as soon as it begins.
    public func finish(_ name: String) { command(.finish, name) }

    /// Lets work throw, now or as soon as it begins.
    public func fail(_ name: String, with failure: OperationFailure) { command(.fail(failure), name) }

    /// Waits until it is told what to do.
    @concurrent
    public func perform(_ request: Request, reporting handle: OperationHandle) async throws -> String {
        begin(request.name)
        defer { end(request.name) }
        return try await withThrowingTaskGroup(of: String.self) { group in
            group.addTask { try await self.obey(request.name) }
            group.addTask {
                while true {
                    _ = try await handle.waitForRequest()
                    try await handle.checkpoint()
                }
            }
            defer { group.cancelAll() }
            return try await group.next() ?? request.name
        }
    }

    private func obey(_ name: String) async throws -> String {
        switch await nextCommand(name) {
        case .finish: return name
        case .fail(let failure): throw failure
        case nil: throw CancellationError()
        }
    }

    private func nextCommand(_ name: String) async -> Command? {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready: Command?? = state.withLock { state in
                    if let command = state.commands.removeValue(forKey: name) { return .some(command) }
                    if Task.isCancelled { return .some(nil) }
                    state.waiters[name, default: [:]][number] = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            state.withLock { $0.waiters[name]?.removeValue(forKey: number) }?.resume(returning: nil)
        }
    }

    private func command(_ command: Command, _ name: String) {
        let waiter: CheckedContinuation<Command?, Never>? = state.withLock { state in
            if let number = state.waiters[name]?.keys.first { return state.waiters[name]?.removeValue(forKey: number) }
            state.commands[name] = command
            return nil
        }
        waiter?.resume(returning: command)
    }

    private func begin(_ name: String) {
        state.withLock { state in
            state.starts.append(name)
            state.running[name, default: 0] += 1
            state.peak = max(state.peak, state.running.values.reduce(0, +))
        }
    }

    private func end(_ name: String) {
        state.withLock { $0.running[name, default: 1] -= 1 }
    }
}
