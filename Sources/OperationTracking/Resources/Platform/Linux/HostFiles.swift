#if os(Linux)
/// The texts of `/proc` that tell of the machine; each function takes a file's text, and gives `nil` when it can't be read.
enum HostFiles {
    /// The first line of `/proc/stat` (proc_stat(5)). The last two columns, guests, are in the first two already.
    static func cpuTime(_ bytes: UnsafeRawBufferPointer) -> HostReading.CPUTime? {
        var text = ByteScanner(bytes)
        guard text.skip("cpu "), let user = text.unsigned(), let nice = text.unsigned(),
            let system = text.unsigned(), let idle = text.unsigned()
        else { return nil }
        var busy = user &+ nice &+ system
        // Kernels before 2.6.11 have fewer columns.
        let waiting = text.unsigned() ?? 0
        for _ in 0..<3 { busy &+= text.unsigned() ?? 0 }
        return HostReading.CPUTime(busy: busy, idle: idle &+ waiting)
    }

    /// `MemTotal` and `MemAvailable` of `/proc/meminfo` in bytes.
    static func memory(_ bytes: UnsafeRawBufferPointer) -> (total: Int64, available: Int64)? {
        var text = ByteScanner(bytes)
        var total: Int64?
        var available: Int64?
        while !text.isAtEnd, total == nil || available == nil {
            if text.skip("MemTotal:") {
                total = text.integer()
            } else if text.skip("MemAvailable:") {
                available = text.integer()
            }
            text.skipLine()
        }
        guard let total, let available, total < .max / 1024, available < .max / 1024 else { return nil }
        return (total * 1024, available * 1024)
    }

    /// The bits that are set in `Cpus_allowed` of `/proc/self/status` (proc_pid_status(5)), a hexadecimal number with commas.
    static func allowedCores(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var text = ByteScanner(bytes)
        while !text.isAtEnd {
            if text.skip("Cpus_allowed:") {
                let digits = text.word().compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
                let count = digits.reduce(0) { $0 + $1.nonzeroBitCount }
                return count > 0 ? count : nil
            }
            text.skipLine()
        }
        return nil
    }

    /// The sums of the first and ninth columns of `/proc/net/dev` over all interfaces but `lo`.
    static func network(_ bytes: UnsafeRawBufferPointer) -> HostReading.NetworkBytes? {
        var text = ByteScanner(bytes)
        var sum = HostReading.NetworkBytes(received: 0, sent: 0)
        text.skipLine()
        text.skipLine()
        guard !text.isAtEnd else { return nil }
        while !text.isAtEnd {
            let isLoopback = text.word().elementsEqual("lo".utf8)
            guard text.skip(":"), let received = text.unsigned() else { return nil }
            text.skipWords(7)
            guard let sent = text.unsigned() else { return nil }
            if !isLoopback {
                sum.received &+= received
                sum.sent &+= sent
            }
            text.skipLine()
        }
        return sum
    }

    /// `/proc/loadavg`.
    static func loadAverage(_ bytes: UnsafeRawBufferPointer) -> LoadAverage? {
        var text = ByteScanner(bytes)
        guard let one = text.decimal(), let five = text.decimal(), let fifteen = text.decimal() else { return nil }
        return LoadAverage(oneMinute: one, fiveMinutes: five, fifteenMinutes: fifteen)
    }

    /// `avg10` of the line `some` of a file of `/proc/pressure`.
    static func pressure(_ bytes: UnsafeRawBufferPointer) -> Double? {
        var text = ByteScanner(bytes)
        while !text.isAtEnd {
            if text.skip("some avg10=") { return text.decimal() }
            text.skipLine()
        }
        return nil
    }
}
#endif
