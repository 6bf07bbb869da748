import Foundation
import TestSupport
import Testing

/// What is told of the server of a data directory.
extension TemporaryFolder {
    /// What `wizard status` says.
    func serverStatus(_ arguments: String...) async throws -> (code: Int32, status: [String: Any]) {
        let outcome = try await WizardProcess.run(["status", "--json", "--data", path] + arguments)
        return (outcome.code, try #require(try outcome.objects.first))
    }

    /// What `server.json` holds.
    func serverRecord() throws -> [String: Any] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/server.json"))
        return try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    }
}
