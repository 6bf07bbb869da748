import OperationTracking
import Testing

struct OrderedJSONTests {
    @Test func bytesThatAreNoTextAreNotTaken() {
        #expect(OrderedJSON([0x22, 0xFF, 0x22]) == nil)
        #expect(OrderedJSON(Array(repeating: UInt8(ascii: "["), count: 100_000)) == nil)
    }

    @Test(arguments: ["[]", "{}", "[[],{}]", #"{"a":{"b":[1,-0.0,true,"x\"y\\"]}}"#, #""\/""#, " [ 1 , 2 ] \n"])
    func aTextIsReadAndWrittenWithoutLoss(_ text: String) throws {
        let value = try #require(OrderedJSON(Array(text.utf8)))
        #expect(OrderedJSON(value.bytes) == value)
        let plain = String(decoding: value.bytes, as: UTF8.self).filter { !$0.isWhitespace }
        #expect(plain == text.filter { !$0.isWhitespace })
    }

    @Test(arguments: [
        "[01]", "[1.]", "[-]", "[1e]", "[+1]", "[1e+]", "[.5]", "[1-2]", "[--1]", "[0x10]", "[NaN]", "[tru]", "[true1]",
        "[nullx]", "{\"a\":1,}", "[1,]", "[,1]", "[1 2]", "{\"a\" 1}", "{'a':1}", "{1:1}", "[1]//x", "[1]]", "[", "\"",
        "-",
        #"["\x"]"#, #"["\ud800"]"#, #"["\ud800\u0041"]"#, #"["\udc00"]"#, #"["\u12g4"]"#, "[\"\t\"]", "", " ",
        "\u{FEFF}",
    ])
    func whatIsNoJSONIsNotRead(_ text: String) {
        #expect(OrderedJSON(Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        ("", 1), ("[1,\n]", 2), ("\n\n{a: 1}", 3), ("\"\n\"", 1), ("\n\"\\x\"", 2), ("{\"a\": 1,\n\"b\" 2}", 2),
        ("1\r\n2", 2), ("// no\n{}", 1),
    ])
    func aFaultSaysInWhichLineItIs(_ text: String, _ line: Int) {
        let bytes = Array(text.utf8)
        let fault = #expect(throws: JSONFault.self) { try OrderedJSON.read(bytes) }
        #expect(fault?.line(in: bytes) == line, "\(fault?.what ?? "")")
    }

    @Test func rulesMakeItStricter() throws {
        let rules = OrderedJSON.Rules(deepest: 2, keysMayRepeat: false, numbersFitDouble: true)
        for (text, what) in [
            ("[[[]]]", "it is nested more than 2 levels deep"), ("[1e400]", "a number is too large"),
            (#"{"a":1,"\u0061":2}"#, "the key \"a\" comes twice in one object"),
        ] {
            #expect(OrderedJSON(Array(text.utf8)) != nil)
            let fault = #expect(throws: JSONFault.self) { try OrderedJSON.read(Array(text.utf8), rules) }
            #expect(fault?.what == what)
        }
        #expect(try OrderedJSON.read(Array(#"[{"a":1},{"a":1e308}]"#.utf8), rules).elements?.count == 2)
    }

    /// To a `Character` each of these belongs to the quotation mark before it.
    @Test(arguments: ["\u{301}", "\u{FE0F}", "\u{200D}", "\u{1F3FD}"])
    func aStringMayBeginWithWhatJoinsTheSignBefore(_ mark: String) throws {
        let value = try #require(OrderedJSON(Array("{\"\(mark)k\": [\"\(mark)text\"]}".utf8)))
        #expect(value["\(mark)k"]?.elements?.first?.text == "\(mark)text")
        let secret = try #require(OrderedJSON(Array("\"\(mark)https://u:hush@h/?sig=hush\"".utf8)))
        #expect(secret.withoutURLSecrets.text == "\(mark)https://h/?…")
    }

    @Test func aByteOrderMarkIsPassedOver() {
        #expect(OrderedJSON([0xEF, 0xBB, 0xBF] + Array("{}".utf8)) == .emptyObject)
    }

    @Test(arguments: [
        "12345678901234567890", "1.0", "1e400", "-0.0", "0", "1E-5", "null", "true", #""a\/\u0062""#,
        #""\ud83d\ude00""#,
    ])
    func aScalarStaysAsItWasWritten(_ text: String) {
        #expect(OrderedJSON(Array(text.utf8)) == .scalar(text))
    }

    @Test(arguments: [
        (#""a\/\u0062""#, "a/b"), (#""\ud83d\ude00\n""#, "😀\n"), (#""\"\\\b\f\r\t""#, "\"\\\u{8}\u{C}\r\t"),
        (#""é""#, "é"),
    ])
    func aStringSaysWhatItsEscapesMean(literal: String, text: String) {
        #expect(OrderedJSON(Array(literal.utf8))?.text == text)
        #expect(OrderedJSON(OrderedJSON.string(text).bytes)?.text == text)
    }
}
