import Testing

@testable import OperationTransfer

struct ServerSentEventParserTests {
    private func events(_ chunks: String...) throws -> [String] {
        var parser = ServerSentEventParser()
        return try chunks.flatMap { try parser.append(Array($0.utf8)) }.map { event in
            "\(event.id ?? "-") \(event.name) \(String(decoding: event.data, as: UTF8.self))"
        }
    }

    @Test func anEventHasItsIdItsNameAndItsData() throws {
        #expect(try events("id: a-1\nevent: updated\ndata: {\"x\":1}\n\n") == ["a-1 updated {\"x\":1}"])
    }

    @Test(arguments: ["\n", "\r", "\r\n"])
    func linesMayEndInAnyOfThreeWays(_ ending: String) throws {
        let text = ["data: one", "data: two", "", "data: three", "", ""].joined(separator: ending)
        #expect(try events(text) == ["- message one\ntwo", "- message three"])
    }

    @Test func chunksMeanNothing() throws {
        let text = "\u{FEFF}retry: 2000\r\n\r\nid: 7\r\n: comment\r\nevent: a\r\ndata: é\r\n\r\ndata: b\r\n\r\n"
        var parser = ServerSentEventParser()
        let found = try text.utf8.flatMap { try parser.append([$0]) }
        #expect(
            found == [
                ServerSentEvent(id: "7", name: "a", data: Array("é".utf8)),
                ServerSentEvent(id: "7", data: Array("b".utf8)),
            ]
        )
    }

    @Test func whatHasNoDataIsNoEvent() throws {
        #expect(try events("event: a\n\n: heartbeat\n\nid: 3\n\ndata\n\n") == ["3 message "])
    }

    @Test func anEventThatIsCutShortIsNone() throws {
        #expect(try events("data: half").isEmpty)
    }

    @Test func anIdWithANULIsNone() throws {
        #expect(try events("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n") == ["1 message a", "1 message b"])
    }

    @Test func anEventThatIsTooLongIsRefused() {
        var parser = ServerSentEventParser(limit: 16)
        #expect(throws: TransferError.self) { try parser.append(Array("data: 0123456789\ndata: 0123456789\n".utf8)) }
        var unended = ServerSentEventParser(limit: 16)
        #expect(throws: TransferError.self) { try unended.append(Array("data: 0123456789abcdef".utf8)) }
    }
}
