import OperationTransfer
import Testing

@Suite struct HTTPBodyTests {
    @Test func collectsAllChunks() async throws {
        let body = body(of: ["ab", "c", "def"])
        #expect(try await body.collect(upTo: 6) == Array("abcdef".utf8))
    }

    @Test func refusesToCollectMoreThanTheLimit() async throws {
        let body = body(of: ["ab", "c", "def"])
        let error = await #expect(throws: TransferError.self) { try await body.collect(upTo: 5) }
        #expect(error?.code == .bodyTooLarge)
    }

    @Test func isMadeFromAClosureToo() async throws {
        let chunks = AsyncThrowingStream<[UInt8], any Error> { continuation in
            continuation.yield([1, 2])
            continuation.finish(throwing: TransferError(.connectionLost, "Gone."))
        }
        let body = HTTPBody(unfolding: {
            var iterator = chunks.makeAsyncIterator()
            return try await iterator.next()
        })
        var iterator = body.makeAsyncIterator()
        #expect(try await iterator.next() == [1, 2])
        await #expect(throws: TransferError.self) { try await iterator.next() }
    }

    @Test func givesItsLines() async throws {
        var lines: [String] = []
        for try await line in body(of: ["{\"a\":1}\n{\"b\"", ":2}\r\n\n{}"]).lines() {
            lines.append(String(decoding: line, as: UTF8.self))
        }
        #expect(lines == ["{\"a\":1}", "{\"b\":2}", "{}"])
    }

    @Test func givesTheWholeLinesBeforeAFailureAndNotTheCutOne() async throws {
        let cut = HTTPBody(
            AsyncThrowingStream<[UInt8], any Error> { continuation in
                continuation.yield(Array("{\"a\":1}\n{\"b\":".utf8))
                continuation.finish(throwing: TransferError(.connectionLost, "Gone."))
            }
        )
        var lines: [[UInt8]] = []
        let error = await #expect(throws: TransferError.self) {
            for try await line in cut.lines() { lines.append(line) }
        }
        #expect(lines == [Array("{\"a\":1}".utf8)])
        #expect(error?.code == .connectionLost)
    }

    @Test func failsAtALineOverTheLimit() async throws {
        let error = await #expect(throws: TransferError.self) {
            for try await _ in body(of: ["abc", "def"]).lines(limit: 5) {}
        }
        #expect(error?.code == .lineTooLong)
    }

    private func body(of chunks: [String]) -> HTTPBody {
        HTTPBody(
            AsyncThrowingStream<[UInt8], any Error> { continuation in
                for chunk in chunks { continuation.yield(Array(chunk.utf8)) }
                continuation.finish()
            }
        )
    }
}
