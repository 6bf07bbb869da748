import OperationTransfer
import TestSockets
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.timeLimit(.minutes(1))) struct ProxyTests {
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
