import Testing

@testable import OperationTransfer

@Suite struct HeadParserTests {
    @Test func givesTheHeadAtItsEmptyLine() {
        #expect(
            heads(in: ["HTTP/1.1 200 OK", "Content-Type: text/plain", "X-Empty:", "X-Space:  a b \t", ""])
                == [
                    ResponseHead(
                        status: 200,
                        headers: ["Content-Type": "text/plain", "X-Empty": "", "X-Space": "a b"]
                    )
                ]
        )
    }

    @Test func readsAStatusLineWithoutAReason() {
        #expect(heads(in: ["HTTP/2 204", ""]) == [ResponseHead(status: 204)])
    }

    @Test func skipsInterimHeads() {
        let lines = [
            "HTTP/1.1 103 Early Hints", "Link: </a>", "", "HTTP/1.1 100 Continue", "", "HTTP/1.1 404 Not Found", "A: b",
            "",
        ]
        #expect(heads(in: lines) == [ResponseHead(status: 404, headers: ["A": "b"])])
    }

    @Test func skipsRedirectsOnlyWhenTheyAreFollowed() {
        let lines = ["HTTP/1.1 302 Found", "location: /b", "", "HTTP/1.1 200 OK", ""]
        #expect(heads(in: lines, followsRedirects: true) == [ResponseHead(status: 200)])
        #expect(heads(in: lines) == [ResponseHead(status: 302, headers: ["location": "/b"])])
    }

    @Test func takesARedirectWithoutATargetForAnAnswer() {
        #expect(heads(in: ["HTTP/1.1 304 Not Modified", ""], followsRedirects: true) == [ResponseHead(status: 304)])
        #expect(
            heads(in: ["HTTP/1.1 302 Found", "Location: ", ""], followsRedirects: true)
                == [ResponseHead(status: 302, headers: ["Location": ""])]
        )
    }

    @Test func takesNoTrailerForAHead() {
        #expect(heads(in: ["HTTP/1.1 200 OK", "", "X-Checksum: 1", ""]) == [ResponseHead(status: 200)])
    }

    @Test func joinsAFoldedLineToItsField() {
        #expect(
            heads(in: ["HTTP/1.1 200 OK", "A: b", "\tc", "D: e", ""])
                == [ResponseHead(status: 200, headers: ["A": "b c", "D": "e"])]
        )
    }

    private func heads(in lines: [String], followsRedirects: Bool = false) -> [ResponseHead] {
        var parser = HeadParser(followsRedirects: followsRedirects)
        return lines.compactMap { line in
            Array("\(line)\r\n".utf8).withUnsafeBytes { parser.parse($0) }
        }
    }
}
