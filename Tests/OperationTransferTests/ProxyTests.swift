import OperationTransfer
import TestSockets
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.timeLimit(.minutes(Patience.minutes))) struct ProxyTests {
    /// In a process of its own, whose environment is nobody else's.
    @Test func goesThroughTheProxyOfTheEnvironment() async {
        await #expect(processExitsWith: .success) {
            let received = TestValue<TestRequest>()
            let proxy = try TestServer { connection in
                received.set(try connection.readRequest())
                try connection.write("HTTP/1.1 204 No Content\r\n\r\n")
            }
            unsetenv("no_proxy")
            unsetenv("NO_PROXY")
            setenv("http_proxy", proxy.url(), 1)
            let status = try await CurlTransport().send(HTTPRequest(url: "http://nowhere.invalid/path")).status
            #expect(status == 204)
            #expect(await received.value().line == "GET http://nowhere.invalid/path HTTP/1.1")
        }
    }

    @Test func looksAtEachRedirectAnewForWhetherTheProxyHolds() async {
        await #expect(processExitsWith: .success) {
            let here = try TestServer { connection in
                let request = try connection.readRequest()
                if request.line.contains("/end") {
                    try connection.write("HTTP/1.1 204 No Content\r\n\r\n")
                } else {
                    try connection.write(
                        "HTTP/1.1 302 Found\r\nLocation: http://nowhere.invalid/\r\nContent-Length: 0\r\n\r\n"
                    )
                }
            }
            let end = here.url("/end")
            let received = TestValue<TestRequest>()
            let proxy = try TestServer { connection in
                received.set(try connection.readRequest())
                try connection.write("HTTP/1.1 302 Found\r\nLocation: \(end)\r\nContent-Length: 0\r\n\r\n")
            }
            unsetenv("no_proxy")
            setenv("NO_PROXY", "elsewhere.invalid", 1)
            setenv("http_proxy", proxy.url(), 1)
            let status = try await CurlTransport().send(HTTPRequest(url: here.url("/start"), maximumRedirects: 3))
                .status
            #expect(status == 204)
            #expect(await received.value().line == "GET http://nowhere.invalid/ HTTP/1.1")
        }
    }

    @Test func tellsThatTheProxyRefuses() async {
        await #expect(processExitsWith: .success) {
            let proxy = try TestServer { connection in
                try connection.readRequest()
                try connection.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            }
            unsetenv("no_proxy")
            unsetenv("NO_PROXY")
            setenv("https_proxy", proxy.url(), 1)
            let error = await #expect(throws: TransferError.self) {
                try await CurlTransport().send(HTTPRequest(url: "https://nowhere.invalid/"))
            }
            #expect(error?.code == .connectionFailed)
            #expect(error?.message.contains("403") == true)
        }
    }
}
