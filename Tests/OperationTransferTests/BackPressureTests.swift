import OperationTransfer
import TestSockets
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite(.timeLimit(.minutes(Patience.minutes)), .serialized) struct BackPressureTests {
    @Test func aReaderWhoStandsStillStopsTheSender() async throws {
        let size = 200_000_000
        let sent = TestValue<Int>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            let count = connection.writeUntilBlocked(limit: size)
            sent.set(count)
            try connection.write([UInt8](repeating: 0, count: size - count))
        }
        let body = try await CurlTransport().send(HTTPRequest(url: server.url())).body
        // What the system's socket buffers hold (tcp_wmem and tcp_rmem, 4 and 6 MiB by default), and hardly more.
        #expect(await sent.value() < 24_000_000)
        var received = 0
        for try await chunk in body { received += chunk.count }
        #expect(received == size)
    }

    @Test func aSmallBufferHoldsLittle() async throws {
        let size = 3_000_000
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            try connection.write((0..<size).map { UInt8(truncatingIfNeeded: $0 / 1000) })
        }
        let transport = CurlTransport(configuration: .init(bufferSize: 1))
        var received: [UInt8] = []
        for try await chunk in try await transport.send(HTTPRequest(url: server.url())).body {
            // One callback's worth.
            #expect(chunk.count <= 16 << 10)
            received += chunk
        }
        #expect(received == (0..<size).map { UInt8(truncatingIfNeeded: $0 / 1000) })
    }

    #if canImport(Glibc)
    /// In a process of its own: what is measured is the memory of the whole of it.
    @Test func memoryStaysFlatWhileTheReaderStandsStillAndWhileItReads() async {
        await #expect(processExitsWith: .success) {
            let size = 400_000_000
            let isBlocked = TestValue<Void>()
            let server = try TestServer { connection in
                try connection.readRequest()
                try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                var left = size - connection.writeUntilBlocked(limit: size)
                isBlocked.set()
                let block = [UInt8](repeating: 0, count: 1_000_000)
                while left > 0 {
                    try connection.write(Array(block.prefix(left)))
                    left -= block.count
                }
            }
            let before = BackPressureTests.residentBytes()
            let body = try await CurlTransport().send(HTTPRequest(url: server.url())).body
            await isBlocked.value()
            var highest = BackPressureTests.residentBytes()
            var received = 0
            for try await chunk in body {
                received += chunk.count
                highest = max(highest, BackPressureTests.residentBytes())
            }
            #expect(received == size)
            // Without back-pressure it would be hundreds of megabytes.
            #expect(highest - before < 100_000_000)
        }
    }

    private static func residentBytes() -> Int {
        let file = open("/proc/self/statm", O_RDONLY)
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = read(file, &text, text.count)
        let fields = String(decoding: text.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
    }
    #endif
}
