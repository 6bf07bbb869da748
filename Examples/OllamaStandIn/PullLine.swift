/// A line of an answer to `POST /api/pull`: the keys in Ollama's order, those with the value 0 left out.
enum PullLine: Sendable, Equatable {
    case status(String)
    case progress(digest: String, total: Int, completed: Int)
    case error(String)

    /// The line with its newline.
    var encoded: [UInt8] { Array("\(json)\n".utf8) }

    var json: String {
        switch self {
        case .status(let status):
            #"{"status":\#(status.goJSON)}"#
        case .progress(let digest, let total, let completed):
            #"{"status":"pulling \#(digest.dropFirst("sha256:".count).prefix(12))","digest":"\#(digest)""#
                + (total > 0 ? #","total":\#(total)"# : "") + (completed > 0 ? #","completed":\#(completed)"# : "")
                + "}"
        case .error(let message):
            #"{"error":\#(message.goJSON)}"#
        }
    }
}

extension String {
    /// This string as Go's `encoding/json` writes it: also `<`, `>` and `&` are escaped.
    var goJSON: String {
        var text = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "<", ">", "&", "\u{0}"..<" ", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
