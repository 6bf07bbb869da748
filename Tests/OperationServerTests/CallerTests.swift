import TestSockets
import Testing

struct CallerTests {
    #if os(Linux)
    @Test func aProgramOfTheSameUserNeedsNoToken() async throws {
        let service = try TestService(token: "a long enough secret")
        #expect(try await service.ask("GET", Target.operations).status == 200)
        await service.stop()
    }
    #endif

    @Test func anybodyElseNeedsTheToken() async throws {
        let service = try TestService(token: "a long enough secret", trustsLocalUser: false)
        let statuses = try await service.talk { client in
            [
                try client.ask("GET", Target.operations).status,
                try client.ask("GET", Target.operations, headers: ["Authorization: Bearer wrong"]).status,
                try client.ask("GET", Target.operations, headers: ["authorization: Bearer a long enough secret"])
                    .status,
                try client.ask("GET", "/health").status,
            ]
        }
        #expect(statuses == [401, 401, 200, 200])
        await service.stop()
    }

    @Test func aSecondHostHeaderIsSeenByTheAPI() async throws {
        let service = try TestService()
        let status = try await service.ask("GET", Target.operations, headers: ["HOST: other"]).status
        #expect(status == 400)
        await service.stop()
    }
}
