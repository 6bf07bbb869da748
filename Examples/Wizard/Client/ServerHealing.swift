import OperationTracking
import ServiceControl

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Has the server of a data directory put conflicts over ports right.
struct ServerHealing: Sendable {
    private let client: ServerClient

    /// - Parameter registry: the file with the services that are meant.
    /// - Returns: `nil` where no server answers that looks after that file.
    static func find(in data: String, registry: String) async -> ServerHealing? {
        struct Status: Decodable {
            struct Registry: Decodable { let path: String }
            let registry: Registry
        }
        guard let client = await ServerClient.find(in: data), let bytes = try? await client.get("/api/ports/status"),
            let status = try? Wire.read(Status.self, from: bytes)
        else { return nil }
        let path = status.registry.path
        let absolute = path.hasPrefix("/") ? path : (client.server.directory ?? "") + "/" + path
        guard let file = absolute.resolvedPath, file == registry.resolvedPath else { return nil }
        return ServerHealing(client: client)
    }

    /// What it would do, but for what holds a port and has started this program: of that the server knows nothing.
    func plan() async throws -> RecoveryReport {
        struct Plan: Decodable { let actions: [Step] }
        let body = #"{"strategy": "port_conflicts", "dry_run": true}"#
        let bytes = try await client.post("/api/self-heal/recover", Array(body.utf8))
        let steps = try Wire.read(Plan.self, from: bytes).actions.map { $0.step.sparing(Self.ancestors) }
        return RecoveryReport(strategy: .portConflicts, isDryRun: true, steps: steps)
    }

    /// Has it do that. Ctrl-C cancels it there, with the step that is being done.
    ///
    /// - Parameter holders: which services, and who may be ended for each.
    /// - Throws: ``ServerProblem``; `CancellationError` when it was cancelled.
    func heal(_ holders: [String: Set<SeenProcess>]) async throws -> RecoveryReport {
        struct Healed: Decodable { let steps: [Step] }
        // The operation has a name before it is there, so that it and no other is cancelled.
        let id = "op_heal_" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        var json = JSONWriter(capacity: 256)
        json.beginObject()
        json.key("operation_id")
        json.value(id)
        json.key("expected")
        json.beginObject()
        for (name, seen) in holders.sorted(by: { $0.key < $1.key }) {
            json.outsideKey(name)
            json.beginArray()
            for process in seen.map(\.description).sorted() { json.value(process) }
            json.endArray()
        }
        json.endObject()
        json.endObject()
        let (client, body) = (client, json.bytes)
        do {
            let answer = try await Interrupt.during {
                try await client.post("/api/ports/heal", body, within: nil)
            } do: { work in
                Task {
                    guard await !cancel(id) else { return }
                    let text = "the server at \(client.server.url) could not be told to stop, and goes on"
                    Console.error("wizard: \(text): see `wizard operations` once it answers.")
                    work.cancel()
                }
            }
            let steps = try Wire.read(Healed.self, from: answer).steps.map(\.step)
            return RecoveryReport(strategy: .portConflicts, isDryRun: false, steps: steps)
        } catch let problem as ServerProblem where problem.code == "cancelled" {
            // By Ctrl-C here, or by somebody else, or since the server stops.
            let text = "the server at \(client.server.url) has cancelled it before it was done"
            Console.error("wizard: \(text): see `wizard ports status` for how the services are now.")
            throw CancellationError()
        }
    }

    /// How long the server is asked to cancel what it may not have begun.
    private static let cancelTime: Duration = .seconds(10)
    private static let interval: Duration = .milliseconds(50)

    /// - Returns: whether the server has taken the wish, or has ended the operation.
    private func cancel(_ id: String) async -> Bool {
        let clock = SystemTrackingClock()
        let deadline = clock.monotonicNanoseconds + Self.cancelTime.nanoseconds
        while clock.monotonicNanoseconds < deadline {
            do {
                _ = try await client.post("\(ServerClient.operations)/\(id)/cancel", within: .seconds(2))
                return true
            } catch let problem as ServerProblem where problem.code == "invalid_transition" {
                return true
            } catch {
                // It isn't there yet, or the server doesn't answer.
                try? await Task.sleep(for: Self.interval)
            }
        }
        return false
    }

    /// This program, its parent, and so on.
    private static var ancestors: Set<SeenProcess> {
        var found: Set<SeenProcess> = []
        var next = getpid()
        while next > 1, let process = ProcessDetails(pid: next), found.insert(SeenProcess(process.identity)).inserted {
            next = process.parent
        }
        return found
    }

    private struct Step: Decodable {
        let service: String
        let action: RecoveryStep.Action
        let outcome: RecoveryStep.Outcome
        let reason: String
        let holders: [SeenProcess]
        let supervisor: String?

        var step: RecoveryStep {
            RecoveryStep(
                service: service,
                action: action,
                reason: reason,
                outcome: outcome,
                holders: holders,
                supervisor: supervisor
            )
        }
    }
}

extension RecoveryStep {
    /// The same, if it ends none of those.
    fileprivate func sparing(_ processes: Set<SeenProcess>) -> RecoveryStep {
        guard action != .none, let relative = holders.first(where: processes.contains) else { return self }
        var step = self
        step.action = .none
        step.reason =
            "\(reason) One of those (pid \(relative.pid)) has started this program: end it by hand if you mean to."
        return step
    }
}
