import OperationHistorySQLite
import OperationTracking
import Synchronization

/// Work that is handed to a server and shown here until it ends. Ctrl-C cancels it there, unless it was being done there already: then it
/// ends the watching only.
final class WatchedOperation: Sendable {
    private let data: String
    private let json: Bool
    private let id = Mutex<OperationID?>(nil)
    /// Whether somebody else has asked for it before, so that it isn't this program's to cancel.
    private let hasJoined = Atomic(false)
    /// Why it could not be cancelled.
    private let problem = Mutex<ServerProblem?>(nil)

    /// How long the server's answer to the work is waited for, before it counts as not known whether it has it.
    private static let takingTime: Duration = .seconds(5)

    init(data: String, json: Bool) {
        self.data = data
        self.json = json
    }

    /// Hands a request over, and shows what becomes of it.
    ///
    /// - Throws: ``ServerProblem`` when the server refuses, or is gone for good; also when Ctrl-C could not cancel the work, and says
    ///   what has become of it then.
    func run(
        _ request: some Encodable & Sendable,
        of type: OperationType,
        with client: ServerClient
    ) async throws -> BackgroundOperation {
        do {
            return try await Interrupt.during {
                try await self.submitAndWatch(request, of: type, with: client)
            } do: { watching in
                Task {
                    if let problem = await self.cancel() {
                        self.problem.withLock { $0 = problem }
                    } else if !self.hasJoined.load(ordering: .acquiring) {
                        return
                    }
                    watching.cancel()
                }
            }
        } catch {
            // The watching was given up for it.
            throw problem.withLock { $0 } ?? error
        }
    }

    /// - Returns: why the server could not be told, and what that means for the work; `nil` when it was, or isn't to be.
    private func cancel() async -> ServerProblem? {
        let id = try? await within(Self.takingTime) { [self] () async throws -> OperationID in
            while true {
                if let taken = self.id.withLock({ $0 }) { return taken }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        if hasJoined.load(ordering: .acquiring) { return nil }
        guard let server = KnownServer.running(in: data) else { return await left(id) }
        guard let problem = await cancel(id, at: server) else { return nil }
        // One that has ended meanwhile neither refuses anything nor goes on with it.
        return server.isRunning ? problem : await left(id)
    }

    private func cancel(_ id: OperationID?, at server: KnownServer) async -> ServerProblem? {
        let place = "The server at \(server.url) (pid \(server.process.pid))"
        let client = ServerClient(server)
        guard await client.health() != nil else {
            guard let id else {
                return ServerProblem(
                    "\(place) doesn't answer, and it isn't known whether it has the work: see `wizard operations` once it answers, or end it with all its work by `wizard kill`.",
                    "not_answering"
                )
            }
            return ServerProblem(
                "\(place) doesn't answer, so \(id) was not cancelled, and goes on there: `wizard cancel \(id)` cancels it once the server answers, `wizard kill` ends the server with all its work.",
                "not_answering"
            )
        }
        guard let id else {
            return ServerProblem("\(place) hasn't said yet whether it takes the work: see `wizard operations`.")
        }
        do {
            _ = try await client.post("\(ServerClient.operations)/\(id)/cancel")
            return nil
        } catch let refusal as ServerProblem where refusal.code == "invalid_transition" {
            // It has ended by itself, which is about to be told.
            return nil
        } catch let refusal as ServerProblem {
            return ServerProblem("\(id) was not cancelled: \(refusal)", refusal.code)
        } catch {
            return ServerProblem(
                "\(place) hasn't answered, and it isn't known whether it cancels \(id): see `wizard show \(id)` once it answers.",
                "not_answering"
            )
        }
    }

    /// What is to be said when the server is gone and hasn't confirmed anything, whether or not it has heard of it.
    private func left(_ id: OperationID?) async -> ServerProblem {
        let place = "The server on \(data) is gone"
        guard let id else {
            return ServerProblem("\(place), and hasn't said that it takes the work: see `wizard history`.")
        }
        return await gone(ServerProblem("\(place), and hasn't said that it cancels \(id)."), id)
    }

    private func submitAndWatch(
        _ request: some Encodable,
        of type: OperationType,
        with client: ServerClient
    ) async throws -> BackgroundOperation {
        // First, so that nothing that happens to the operation or its parts is missed.
        let feed = try await ServerFeed(client, in: data)
        let work = try await client.submit(request, of: type)
        hasJoined.store(work.hasJoined, ordering: .releasing)
        id.withLock { $0 = work.operationID }
        if work.hasJoined {
            Console.error(
                "wizard: the server is at this already (\(work.operationID)). Ctrl-C ends the watching only; `wizard cancel \(work.operationID)` cancels it for all."
            )
        }
        if let warning = work.warning { Console.error("wizard: \(warning.printable)") }
        return try await watch(work, feed)
    }

    private func watch(_ work: SubmittedWork, _ feed: ServerFeed) async throws -> BackgroundOperation {
        var view = OperationView(json: json)
        do {
            return try await watch(work, feed, &view)
        } catch {
            // What is said of it begins a line of its own.
            view.clear()
            throw error
        }
    }

    private func watch(
        _ work: SubmittedWork,
        _ feed: ServerFeed,
        _ view: inout OperationView
    ) async throws -> BackgroundOperation {
        let id = work.operationID
        var feed = feed
        // The first snapshot is older than the operation, unless that was there before.
        var isKnown = work.hasJoined
        while true {
            let step: ServerFeed.Step
            do {
                step = try await feed.next()
            } catch let problem as ServerProblem {
                throw await gone(problem, id)
            }
            switch step {
            case .lost:
                view.notice(
                    "the connection to the server is lost; looking for it for \(Int(ServerFeed.patience.seconds)) s."
                )
                isKnown = true
            case .event(.operation(let operation, let kind)):
                guard view.take(operation, kind, of: id) else { continue }
                if kind == .finished(durable: false) {
                    Console.error("wizard: this run is not in the server's history.")
                }
                return operation
            case .event(.snapshot(let operations)):
                for operation in operations { _ = view.take(operation, .updated, of: id) }
                guard isKnown, !operations.contains(where: { $0.id == id }) else { continue }
                let operation = try await state(of: id, feed.client)
                if operation.status.isTerminal {
                    _ = view.take(operation, .finished(durable: true), of: id)
                    return operation
                }
                // Another process does it, which a stream of the operation alone follows.
                feed = try await ServerFeed(feed.client, in: data, of: id)
            }
        }
    }

    private func state(of id: OperationID, _ client: ServerClient) async throws -> BackgroundOperation {
        try Wire.read(WireOperation.self, from: try await client.operation(id)).operation
    }

    /// What is to be said when the server is gone: the history knows how the operation was left.
    private func gone(_ problem: ServerProblem, _ id: OperationID) async -> ServerProblem {
        var text = problem.description
        if let history = try? await History.open(in: data) {
            let status = try? await history.record(id)?.operation.status
            await history.close()
            if let status { text += " The history has \(id) as \(status.rawValue)." }
        }
        if problem.code != "not_answering" {
            text += " `wizard start` starts a server, which takes up what waits or is paused."
        }
        return ServerProblem(text, problem.code)
    }
}
