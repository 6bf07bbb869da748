import Foundation
import OperationTracking
import TestSupport
import Testing

@testable import OperationHistorySQLite

/// Two services on one history that do what they like, and are killed at any moment.
struct ServiceCrashTests {
    private let directory = TemporaryDirectory()

    private func output(_ number: Int) -> String { "\(directory.path)-output-\(number)" }

    private func start(_ number: Int, _ how: String) async throws -> ChildProcess {
        let service = try ChildProcess.writer([directory.path, "serve", how], output: output(number))
        try await eventually("service \(number) has opened the history") { lines(number).contains("open") }
        return service
    }

    private func lines(_ number: Int) -> [String] {
        let text = (try? String(contentsOfFile: output(number), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    @Test(.timeLimit(.minutes(Patience.minutes)), arguments: 0..<2)
    func whateverIsTakenEndsOnceHoweverOftenServicesAreKilled(_ round: Int) async throws {
        let count = 8
        defer { for number in 0...count { unlink(output(number)) } }
        var services = [try await start(0, "random"), try await start(1, "random")]
        for number in 2..<count {
            for _ in 0..<10 {
                try await Task.sleep(for: .milliseconds(.random(in: 1...20)))
                // One piece of work is never done twice at the same time, whichever service is asked for it.
                let doubles = try directory.integer(
                    """
                    SELECT count(*) FROM (
                        SELECT 1 FROM operations WHERE status IN \(Schema.active) GROUP BY unique_key HAVING count(*) > 1
                    )
                    """
                )
                #expect(doubles == 0)
            }
            services.remove(at: Int.random(in: 0...1)).end()
            services.append(try await start(number, "random"))
        }
        func taken() -> Int { (0..<count).flatMap(lines).count { $0.hasPrefix("taken ") } }
        try await eventually("some work has been taken") { taken() >= 8 }
        for service in services { service.end() }
        let last = try await start(count, "finish")
        try await eventually("the last service has ended") { last.status != nil }
        #expect(last.status == 0)

        let store = try await directory.open()
        let said = (0...count).flatMap(lines).map { $0.split(separator: " ").map(String.init) }
        #expect(!said.contains { $0.first == "TOO" })
        let taken = said.filter { $0.first == "taken" }
        #expect(taken.count >= 8)
        for line in taken {
            let id = try #require(OperationID(rawValue: line[1]))
            #expect(try await store.record(id)?.operation.status.isTerminal == true, "\(id) was lost")
        }
        for line in said where line.first == "ended" {
            let id = try #require(OperationID(rawValue: line[1]))
            #expect(try await store.record(id)?.operation.status.rawValue == line[2])
        }
        let ended = try directory.integer("SELECT count(*) FROM operations")
        #expect(try directory.integer("SELECT sum(count) FROM statistics WHERE day = 'all'") == ended)
        #expect(try directory.integer("SELECT count(*) FROM operations WHERE status IN \(Schema.active)") == 0)
        await store.close()
    }
}
