import OperationTransfer
import Testing

@Suite struct HTTPHeadersTests {
    @Test func findsNamesWithoutRegardToCase() {
        let headers: HTTPHeaders = ["Content-Type": "text/plain"]
        #expect(headers["content-type"] == "text/plain")
        #expect(headers["CONTENT-TYPE"] == "text/plain")
        #expect(headers["Content-Typ"] == nil)
    }

    @Test func keepsRepeatedNamesInOrder() {
        var headers: HTTPHeaders = ["Set-Cookie": "a", "Via": "x", "set-cookie": "b"]
        headers.append(name: "SET-COOKIE", value: "c")
        #expect(headers.values(for: "Set-Cookie") == ["a", "b", "c"])
        #expect(headers["Set-Cookie"] == "a")
        #expect(headers.map(\.name) == ["Set-Cookie", "Via", "set-cookie", "SET-COOKIE"])
    }

    @Test func settingReplacesAllOfANameInPlace() {
        var headers: HTTPHeaders = ["A": "1", "B": "2", "a": "3"]
        headers["a"] = "4"
        #expect(headers.map(\.value) == ["4", "2"])
        headers["C"] = "5"
        #expect(headers.map(\.value) == ["4", "2", "5"])
        headers["A"] = nil
        #expect(headers.map(\.value) == ["2", "5"])
    }

    @Test func describesNamesAndNotValues() {
        let headers: HTTPHeaders = ["Authorization": "Bearer secret", "Accept": "*/*"]
        #expect("\(headers)" == "Authorization, Accept")
        #expect(!String(reflecting: headers).contains("secret"))
        #expect(!String(reflecting: headers.first).contains("secret"))
    }

    @Test func aRequestDescribesItsHostAlone() {
        let request = HTTPRequest(
            .post,
            url: "https://user:secret@example.org/path?token=secret",
            headers: ["Authorization": "secret"],
            body: Array("secret".utf8)
        )
        #expect("\(request)" == "POST example.org:443")
        #expect(String(reflecting: request) == "POST example.org:443")
        #expect("\(HTTPRequest(url: "no url: secret"))" == "GET an invalid URL")
    }
}
