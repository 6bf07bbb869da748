import Testing

@testable import ProcessOperations

struct OutputTailTests {
    private func tail(_ chunks: [UInt8]...) -> OutputTail {
        var tail = OutputTail()
        for chunk in chunks { chunk.withUnsafeBytes { tail.append($0) } }
        return tail
    }

    private func tail(_ text: String) -> OutputTail { tail(Array(text.utf8)) }

    @Test func theLastBytesAreKept() {
        let bytes = (0..<100_000).map { UInt8(ascii: "a") + UInt8($0 % 26) }
        var byPieces = OutputTail()
        for start in stride(from: 0, to: bytes.count, by: 777) {
            bytes[start..<min(start + 777, bytes.count)].withUnsafeBytes { byPieces.append($0) }
        }
        let expected = String(decoding: bytes.suffix(16 * 1024), as: UTF8.self)
        #expect(byPieces.text == expected)
        #expect(tail(bytes).text == expected)
        #expect(byPieces.seen == 100_000)
    }

    @Test func aCharacterThatWasCutIsLeftOut() {
        let text = String(repeating: "€", count: 10_000)
        #expect(tail(text).text == String(repeating: "€", count: 16 * 1024 / 3))
        #expect(tail(Array("€".utf8).dropLast()).text == "\u{FFFD}")
    }

    @Test func coloursAndControlsAreTakenOut() {
        #expect(
            tail("\u{1B}[1;31mred\u{1B}[0m \u{7}bell\ttab \u{1B}]0;title\u{7}end").text == "red \u{FFFD}bell\ttab end"
        )
        #expect(tail(Array("c1 \u{9B}31m".utf8)).text == "c1 \u{FFFD}31m")
    }

    @Test func aCarriageReturnReplacesTheLine() {
        #expect(tail("10%\r20%\r\ndone\r\n").text == "20%\ndone\n")
    }

    @Test func blankLinesAreNoLastLines() {
        #expect(tail("a\n\nb\n \nc\n\n").lastLines(2) == ["b", "c"])
        #expect(tail("").lastLines(2) == [])
    }
}
