import Foundation
import Testing

@testable import OperationTracking

struct URLSecretsTests {
    @Test(arguments: [
        ("see http://u:p@h/a?b=c now", "see http://h/a?… now"), ("https://h/@scope/x", "https://h/@scope/x"),
        ("https://h", "https://h"), ("https://a@b@h/x", "https://h/x"), ("x://h?a='b'", "x://h?…'"),
        ("http://h/it's.zip?sig=S", "http://h/it's.zip?…"), (#"http://h/a"b>c\d?sig=S"#, #"http://h/a"b>c\d?…"#),
        ("http:/h/s?sig=S", "http:/h/s?…"), ("http://h/f#access_token=S", "http://h/f#…"),
        ("no address", "no address"), ("https://u:p@\u{301}h/x", "https://\u{301}h/x"),
        ("https://\u{301}u:p@h/x", "https://h/x"), ("http://h/s?\u{FE0F}sig=S", "http://h/s?…"),
        ("\u{600}://u:p@h", "\u{600}://h"),
    ])
    func aTextIsShownWithoutThem(text: String, shown: String) {
        #expect(text.withoutURLSecrets == shown)
    }

    @Test func aRequestIsShownWithoutThemAndIsStillJSON() {
        let operation = BackgroundOperation(
            id: .make(at: 0),
            type: .download,
            description: "x",
            status: .pending,
            createdAt: Date(timeIntervalSince1970: 0)
        )
        var record = OperationRecord(operation: operation)
        let request = #"{"command":["curl \"http://h/x?key=hush\" y"],"url":"https://u:hush@h/z?sig=hush"}"#
        record.request = Array(request.utf8)
        let text = String(decoding: record.jsonBytes(), as: UTF8.self)
        #expect(text.contains(#""request":{"command":["curl \"http://h/x?…\" y"],"url":"https://h/z?…"}"#))
        #expect(!text.contains("hush"))
    }
}
