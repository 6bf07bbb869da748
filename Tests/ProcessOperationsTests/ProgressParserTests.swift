import OperationTrackingTesting
import Testing

@testable import ProcessOperations

struct ProgressParserTests {
    /// All readings of a text that is given in these pieces.
    private func readings(_ pieces: [[UInt8]], _ rule: ProgressRule) -> Double? {
        var parser = ProgressParser(rule)
        var last: Double?
        for piece in pieces { last = piece.withUnsafeBytes { parser.take($0) } ?? last }
        return parser.finish() ?? last
    }

    private func reading(_ text: String, _ rule: ProgressRule) -> Double? {
        readings([Array(text.utf8)], rule)
    }

    @Test(arguments: [
        ("12 %", 0.12), ("12.5%", 0.125), ("12,5 %", 0.125), ("100%", 1), ("0%", 0), ("\u{1B}[32m45\u{1B}[0m%", 0.45),
        ("10%\r20%\r", 0.2), ("10%...20%...30%", 0.3), ("###     45.2%", 0.452), ("[ 45%] Building", 0.45),
        ("45%|███▌    | 9/20 [00:10<00:12]", 0.45), ("█45%", 0.45), ("a 12%, b", 0.12),
    ])
    func percentagesAreRead(_ text: String, _ share: Double) throws {
        #expect(abs(try #require(reading(text, .percent)) - share) < 1e-12)
        #expect(reading(text, .automatic) == reading(text, .percent))
    }

    @Test(arguments: [
        ("[3/4] cc", 0.75), ("3 / 4", 0.75), ("(3/4)", 0.75), ("3/4\n", 0.75), ("1,500/3,000 files", 0.5),
        ("step 3/4: go", 0.75), ("3/4.", 0.75), ("0/7", 0),
    ])
    func fractionsAreRead(_ text: String, _ share: Double) throws {
        #expect(reading(text, .fraction) == share)
        #expect(reading(text, .automatic) == share)
    }

    @Test(arguments: [
        ("1.5 MB / 3 MB", 0.5), ("512 KiB/1 MiB", 0.5), ("1.5/3.0 GB", 0.5), ("500 kB / 1 MB", 0.5),
        ("5/10 bytes", 0.5),
        ("━━━ 1.5/3.0 MB 2.5 MB/s eta 0:00:01", 0.5), ("600MB/1.2GB", 0.5), ("2T / 4T", 0.5),
    ])
    func amountsAreRead(_ text: String, _ share: Double) throws {
        #expect(abs(try #require(reading(text, .bytes)) - share) < 1e-9)
        #expect(abs(try #require(reading(text, .automatic)) - share) < 1e-9)
    }

    @Test(
        arguments: [
            "", "hello", "101%", "-5%", "1.2.3%", "v12%", "5/3", "3/0", "0/0 MB", "1/2/3", "/usr/1/2", "usr/1/2",
            "2024/05/06", "5 MB/s", "5 apples / 9 pears", "99999999999999999999999999%", "1e5%", "nan%", "inf %",
            "999999999999999999999/9999999999999999999999", "12\n%", "12\u{1B}[2K%", "3/\n4", "%", "/", "MB / MB",
            "\u{1B}]0;50%\u{7}", "3/4x",
        ],
        ProgressRule.allCases
    )
    func whatIsNoProgressIsIgnored(_ text: String, _ rule: ProgressRule) {
        #expect(reading(text, rule) == nil)
    }

    @Test func aRuleReadsItsOwnFormOnly() {
        let text = "45% 3/4 1 MB / 10 MB"
        #expect(reading(text, .percent) == 0.45)
        #expect(reading(text, .fraction) == 0.75)
        #expect(reading(text, .bytes) == 0.1)
        #expect(reading(text, .none) == nil)
    }

    @Test func theBetterFormIsKept() {
        #expect(reading("1/10\n45%\n2/10\n", .automatic) == 0.45)
        #expect(reading("1/10\n1 MB / 4 MB\n2/10\n", .automatic) == 0.25)
        #expect(reading("45%\n1 MB / 4 MB\n", .automatic) == 0.45)
    }

    @Test func anyCutOfTheBytesGivesTheSame() {
        let parts = [
            "12 %", "3/4", "1.5 MB / 3 GiB", "\r", "\n", "\u{1B}[31m", "\u{1B}]0;9%\u{7}", "\u{1B}", "[2K", " ", "█",
            "7",
            ".", ",", "/", "%", "MB", "x", "-", "\u{9B}", "99999999999999999999999999999", "\u{1B}[",
        ]
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                parts.randomElement(using: &generator) ?? ""
            }.joined()
            var bytes = Array(text.utf8)
            if Bool.random(using: &generator) { bytes.append(.random(in: 0...255, using: &generator)) }
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...min(4, rest.count), using: &generator)
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            for rule in ProgressRule.allCases {
                let whole = readings([bytes], rule)
                #expect(readings(pieces, rule) == whole, "\(text.debugDescription) \(rule)")
                #expect(whole.map { (0...1).contains($0) } ?? true)
            }
        }
    }

    @Test func aNumberWithoutEndTakesNoMemoryAndIsNone() {
        #expect(reading(String(repeating: "1", count: 1_000_000) + "%", .percent) == nil)
        #expect(reading(String(repeating: "1", count: 1_000_000) + "%\n5%", .percent) == 0.05)
        #expect(reading(String(repeating: "1", count: 10_000) + "% 5%", .percent) == 0.05)
    }

    @Test(arguments: ["\n", "\r", "\u{1B}[2K"])
    func aLineWithoutEndIsGivenUpUntilTheNextOne(_ lineEnd: String) {
        let long = String(repeating: "x", count: 16_384)
        #expect(reading(long + " 45% ", .automatic) == nil)
        #expect(reading(long + " 45% " + lineEnd + "12% ", .automatic) == 0.12)
        // What is cut in the middle is not read as what is left of it.
        #expect(reading(String(long.dropLast(4)) + " 3/4" + "5 ", .automatic) == nil)
        #expect(reading(String(long.dropLast(5)) + " 45% ", .automatic) == 0.45)
    }
}
