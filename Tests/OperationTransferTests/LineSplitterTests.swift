import OperationTrackingTesting
import OperationTransfer
import Testing

@Suite struct LineSplitterTests {
    @Test func endsLinesAtLineFeedAndAtCarriageReturnLineFeed() throws {
        #expect(try lines(of: ["a\nb\r\nc\n"]) == ["a", "b", "c"])
    }

    @Test func skipsBlankLines() throws {
        #expect(try lines(of: ["\n\r\n \t\na\n\n\nb\n \n"]) == ["a", "b"])
    }

    @Test func givesTheLastLineWithoutAnEnding() throws {
        #expect(try lines(of: ["a\nb"]) == ["a", "b"])
        #expect(try lines(of: ["a\nb\r"]) == ["a", "b"])
    }

    @Test func givesNothingForNothing() throws {
        #expect(try lines(of: []) == [])
        #expect(try lines(of: [""]) == [])
    }

    @Test func keepsCarriageReturnsAndSpacesInsideALine() throws {
        #expect(try lines(of: [" a\rb \r\r\n"]) == [" a\rb \r"])
    }

    @Test func joinsALineThatCameInPieces() throws {
        #expect(try lines(of: ["{\"a\"", ":", "1}\r", "\n{}"]) == ["{\"a\":1}", "{}"])
    }

    @Test func takesInMoreWhileLinesAreLeft() throws {
        var splitter = LineSplitter()
        splitter.append(Array("a\nb\nc\nd".utf8))
        #expect(try splitter.next() == Array("a".utf8))
        #expect(try splitter.next() == Array("b".utf8))
        #expect(try splitter.next() == Array("c".utf8))
        splitter.append(Array("e\n".utf8))
        #expect(try splitter.next() == Array("de".utf8))
        #expect(try splitter.next() == nil)
        #expect(splitter.finish() == nil)
    }

    @Test func allowsALineOfExactlyTheLimitWithAnyEnding() throws {
        #expect(try lines(of: ["abcd\nabcd\r\nabcd"], limit: 4) == ["abcd", "abcd", "abcd"])
        #expect(try lines(of: ["abcd", "\r", "\n", "abcd", "\r"], limit: 4) == ["abcd", "abcd"])
    }

    @Test(arguments: [["abcde\n"], ["abcde"], ["ab", "cde"], ["abcd\r", "e"], ["abcd\r\r\n"]])
    func refusesALineOverTheLimit(chunks: [String]) {
        let error = #expect(throws: TransferError.self) { try lines(of: chunks, limit: 4) }
        #expect(error?.code == .lineTooLong)
    }

    @Test func givesTheLinesBeforeTheOneOverTheLimitAndThenOnlyTheError() throws {
        var splitter = LineSplitter(limit: 4)
        splitter.append(Array("abc\nabcde\nabc\n".utf8))
        #expect(try splitter.next() == Array("abc".utf8))
        for _ in 0..<2 {
            let error = #expect(throws: TransferError.self) { try splitter.next() }
            #expect(error?.code == .lineTooLong)
        }
    }

    @Test func refusesAnEndlessLineAsSoonAsItIsOverTheLimit() throws {
        var splitter = LineSplitter(limit: 1000)
        let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 100)
        for _ in 0..<10 {
            splitter.append(chunk)
            #expect(try splitter.next() == nil)
        }
        splitter.append(chunk)
        #expect(throws: TransferError.self) { try splitter.next() }
    }

    @Test func readsALineOfTenMegabytesThatComesInSmallPieces() throws {
        let count = 10_000_000
        var splitter = LineSplitter(limit: count)
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1000)
        for _ in 0..<(count / piece.count) {
            splitter.append(piece)
            #expect(try splitter.next() == nil)
        }
        splitter.append([UInt8(ascii: "\n")])
        let line = try #require(try splitter.next())
        #expect(line.count == count)
        #expect(line.allSatisfy { $0 == UInt8(ascii: "x") })
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func givesTheSameLinesHoweverTheBytesAreSplit(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("ab \t\r\n\n\r".utf8)
        let bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0
        }
        let limit = Int.random(in: 3...40, using: &random)

        let whole = outcome(of: [bytes], limit: limit, takingWhile: { true })
        for _ in 0..<20 {
            var rest = bytes[...]
            var chunks: [[UInt8]] = []
            while !rest.isEmpty {
                let chunk = rest.prefix(Int.random(in: 0...7, using: &random))
                chunks.append(Array(chunk))
                rest = rest.dropFirst(chunk.count)
            }
            #expect(outcome(of: chunks, limit: limit, takingWhile: { true }) == whole)
            // And whether or not all lines are taken before more is appended.
            #expect(outcome(of: chunks, limit: limit, takingWhile: { Bool.random(using: &random) }) == whole)
        }
    }
}

private struct Outcome: Equatable {
    var lines: [[UInt8]] = []
    var error: TransferError?
}

private func outcome(of chunks: [[UInt8]], limit: Int, takingWhile mayTake: () -> Bool) -> Outcome {
    var splitter = LineSplitter(limit: limit)
    var outcome = Outcome()
    do throws(TransferError) {
        for chunk in chunks {
            splitter.append(chunk)
            while mayTake(), let line = try splitter.next() { outcome.lines.append(line) }
        }
        while let line = try splitter.next() { outcome.lines.append(line) }
        if let line = splitter.finish() { outcome.lines.append(line) }
    } catch {
        outcome.error = error
    }
    return outcome
}

private func lines(of chunks: [String], limit: Int = 1 << 20) throws -> [String] {
    let outcome = outcome(of: chunks.map { Array($0.utf8) }, limit: limit, takingWhile: { true })
    if let error = outcome.error { throw error }
    return outcome.lines.map { String(decoding: $0, as: UTF8.self) }
}
