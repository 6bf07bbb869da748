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
        return absolute.resolvedPath == registry.resolvedPath ? ServerHealing(client: client) : nil
    }

    /// What it would do.
    func plan() async throws -> RecoveryReport {
        struct Plan: Decodable { let actions: [Step] }
        let body = #"{"strategy": "port_conflicts", "dry_run": true}"#
        let bytes = try await client.post("/api/self-heal/recover", Array(body.utf8))
        let steps = try Wire.read(Plan.self, from: bytes).actions.map(\.step)
        return RecoveryReport(strategy: .portConflicts, isDryRun: true, steps: steps)
    }

    /// Has it do that. Ctrl-C cancels it there, which takes effect behind the step that is being done.
    ///
    /// - Parameter holders: which services, and who may be ended for each.
    /// - Throws: ``ServerProblem``; `CancellationError` when it was cancelled.
    func heal(_ holders: [String: Set<Int32>]) async throws -> RecoveryReport {
        struct Healed: Decodable { let steps: [Step] }
        var json = JSONWriter(capacity: 256)
        json.beginObject()
        json.key("expected")
        json.beginObject()
        for (name, pids) in holders.sorted(by: { $0.key < $1.key }) {
            json.outsideKey(name)
            json.beginArray()
            for pid in pids.sorted() { json.value(pid) }
            json.endArray()
        }
        json.endObject()
        json.endObject()
        let (client, body) = (client, json.bytes)
        let before = try await recoveries()
        let work = Task { try await client.post("/api/ports/heal", body, within: nil) }
        let interrupt = Interrupt {
            Task {
                guard await !cancelRecoveries(but: before) else { return }
                let text = "the server at \(client.server.url) could not be told to stop, and goes on"
                Console.error("wizard: \(text): see `wizard operations` once it answers.")
                work.cancel()
            }
        }
        defer { interrupt.stop() }
        do {
            let steps = try Wire.read(Healed.self, from: try await work.value).steps.map(\.step)
            return RecoveryReport(strategy: .portConflicts, isDryRun: false, steps: steps)
        } catch let problem as ServerProblem where problem.code == "cancelled" {
            throw CancellationError()
        }
    }

    /// The operations by which it puts services right now.
    private func recoveries() async throws -> Set<OperationID> {
        struct Answer: Decodable { let operations: [WireOperation] }
        let answer = try Wire.read(Answer.self, from: try await client.get(ServerClient.operations))
        return Set(answer.operations.map(\.operation).filter { $0.type == .recoverServices }.map(\.id))
    }

    private func cancelRecoveries(but before: Set<OperationID>) async -> Bool {
        guard await client.health() != nil, let now = try? await recoveries() else { return false }
        for id in now.subtracting(before) { _ = try? await client.post("\(ServerClient.operations)/\(id)/cancel") }
        return true
    }

    private struct Step: Decodable {
        let service: String
        let action: RecoveryStep.Action
        let outcome: RecoveryStep.Outcome
        let reason: String
        let pids: [Int32]

        var step: RecoveryStep {
            RecoveryStep(service: service, action: action, reason: reason, outcome: outcome, pids: pids)
        }
    }
}

extension String {
    /// The file that a path means, without links.
    fileprivate var resolvedPath: String {
        guard let path = realpath(self, nil) else { return self }
        defer { free(path) }
        return String(cString: path)
    }
}
