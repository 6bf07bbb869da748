#if os(Linux)
import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct ResourceParsingTests {
    private static let tail =
        " S 41 42 42 0 -1 4194304 103 0 7 0 250 50 1000 24 20 0 3 0 468171 3133440 413 18446744073709551615 1 2 3 0\n"
    private static let expected = ProcessStatus.make(
        parent: 41,
        own: 300,
        ended: 1024,
        threads: 3,
        start: 468171,
        pages: 413
    )

    @Test(arguments: [
        "42 (cat)", "42 (a b)", "42 (a) S 1 1 1)", "42 (()", "42 ())", "42 ()", "42 (tab\tand\nline)", "4194303 (x)",
    ])
    func aStatusIsReadWhateverTheCommandIsCalled(head: String) {
        #expect(parsed(head + Self.tail, ProcessStatus.init) == Self.expected)
    }

    @Test func aStatusThatIsCutOffAnywhereIsNone() {
        let text = "42 (a b)" + Self.tail.prefix { $0 != "\n" }
        let memory = " 413 18446744073709551615 1 2 3 0"
        for length in 0...(text.count - memory.count) {
            #expect(parsed(String(text.prefix(length)), ProcessStatus.init) == nil, "\(text.prefix(length))")
        }
        #expect(parsed(String(text.prefix(text.count - memory.count + 4)), ProcessStatus.init) == Self.expected)
    }

    @Test(arguments: ["", ")", "42 (cat) S x", "42 (cat) S -1 1", "42 (cat) S 99999999999999999999 1 1"])
    func whatIsNoStatusIsNone(text: String) {
        #expect(parsed(text, ProcessStatus.init) == nil)
    }

    @Test func residentPagesAreTheSecondNumber() {
        #expect(parsed("765 413 400 5 0 100 0\n", ProcessStatus.residentPages(ofMemory:)) == 413)
        #expect(parsed("765", ProcessStatus.residentPages(ofMemory:)) == nil)
    }

    @Test(arguments: 1...9)
    func aListOfChildrenCanBeCutAnywhere(size: Int) {
        let bytes = Array("7 1234 32768 4194303 ".utf8)
        var parser = ChildListParser()
        var list: [Int32] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { parser.parse($0, into: &list) }
        }
        parser.finish(into: &list)
        #expect(list == [7, 1234, 32768, 4_194_303])
    }

    @Test func cpuTimeIsTheFirstLineWithoutGuests() {
        let text = "cpu  100 10 50 1000 20 5 6 7 90 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
        #expect(parsed(text, HostFiles.cpuTime) == HostReading.CPUTime(busy: 178, idle: 1020))
    }

    @Test func cpuTimeOfAnOldKernelHasFourColumns() {
        #expect(parsed("cpu  100 10 50 1000\n", HostFiles.cpuTime) == HostReading.CPUTime(busy: 160, idle: 1000))
    }

    @Test(arguments: ["", "cpu", "cpu  1 2 3", "cpu0 1 2 3 4", "cpu  a b c d", "intr 1 2 3 4"])
    func brokenCPUTimeIsUnknown(text: String) {
        #expect(parsed(text, HostFiles.cpuTime) == nil)
    }

    @Test func memoryIsInBytes() {
        let text = "MemTotal:       24684092 kB\nMemFree:        1 kB\nMemAvailable:   1000 kB\nBuffers: 1 kB\n"
        let memory = parsed(text, HostFiles.memory)
        #expect(memory?.total == 25_276_510_208)
        #expect(memory?.available == 1_024_000)
    }

    @Test(arguments: [
        "", "MemTotal: 1 kB\n", "MemTotal: kB\nMemAvailable: 1 kB\n",
        "MemTotal: 1 kB\nMemAvailable: 9223372036854775807 kB\n",
    ])
    func brokenMemoryIsUnknown(text: String) {
        #expect(parsed(text, HostFiles.memory) == nil)
    }

    @Test func networkIsTheSumWithoutLoopback() {
        let text = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo: 453345299905 10 0 0 0 0 0 0 453345299905 10 0 0 0 0 0 0
              eth0: 1000 9 9 9 9 9 9 9 20 9 9 9 9 9 9 9
            wlan0:300 9 9 9 9 9 9 9 4 9 9 9 9 9 9 9
             lo2: 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0

            """
        #expect(parsed(text, HostFiles.network) == HostReading.NetworkBytes(received: 1301, sent: 26))
    }

    @Test(arguments: ["", "one line", "head\nhead\n", "head\nhead\neth0 1 2\n", "head\nhead\neth0: 1 2 3\n"])
    func brokenNetworkIsUnknown(text: String) {
        #expect(parsed(text, HostFiles.network) == nil)
    }

    @Test func loadAverageHasDecimals() {
        let expected = LoadAverage(oneMinute: 3.79, fiveMinutes: 2.05, fifteenMinutes: 11)
        #expect(parsed("3.79 2.05 11.00 8/101 27925\n", HostFiles.loadAverage) == expected)
        #expect(parsed("3.79 2.05", HostFiles.loadAverage) == nil)
    }

    @Test func pressureIsTheFirstAverageOfSome() {
        let text = "some avg10=96.25 avg60=56.76 avg300=30.35 total=370532330\nfull avg10=1.00 avg60=0.00\n"
        #expect(parsed(text, HostFiles.pressure) == 96.25)
        #expect(parsed("full avg10=1.00\nsome avg10=2.50", HostFiles.pressure) == 2.5)
        #expect(parsed("full avg10=1.00\n", HostFiles.pressure) == nil)
        #expect(parsed("some avg10=", HostFiles.pressure) == nil)
    }

    @Test func allowedCoresAreTheBitsOfTheMask() {
        #expect(parsed("Name:\tx\nCpus_allowed:\tff,0000000f\nCpus_allowed_list:\t0-3\n", HostFiles.allowedCores) == 12)
        #expect(parsed("Cpus_allowed:\t0\n", HostFiles.allowedCores) == nil)
        #expect(parsed("Name:\tx\n", HostFiles.allowedCores) == nil)
    }

    /// No text makes a parser trap.
    @Test(arguments: 0..<200)
    func noTextIsTooBroken(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("0123456789 ().:-=\n\tcpuMemTotal:some avg10=lo".utf8) + [0, 255]
        let bytes = (0..<200).map { _ in alphabet.randomElement(using: &random) ?? 0 }
        bytes.withUnsafeBytes { bytes in
            _ = ProcessStatus(bytes)
            _ = HostFiles.cpuTime(bytes)
            _ = HostFiles.memory(bytes)
            _ = HostFiles.network(bytes)
            _ = HostFiles.loadAverage(bytes)
            _ = HostFiles.pressure(bytes)
            _ = HostFiles.allowedCores(bytes)
            _ = ControlGroup.cores(bytes)
            _ = ControlGroup.reclaimableBytes(bytes)
            var list: [Int32] = []
            var parser = ChildListParser()
            parser.parse(bytes, into: &list)
        }
        _ = ControlGroup.mount(inMountInfo: bytes)
        _ = ControlGroup.group(inSelfCgroup: bytes)
    }
}

extension ProcessStatus {
    fileprivate static func make(
        parent: Int32,
        own: UInt64,
        ended: UInt64,
        threads: Int,
        start: UInt64,
        pages: Int64
    ) -> ProcessStatus? {
        parsed(
            "1 (x) S \(parent) 1 1 0 0 0 0 0 0 0 \(own) 0 \(ended) 0 20 0 \(threads) 0 \(start) 0 \(pages)",
            ProcessStatus.init
        )
    }
}
#endif
