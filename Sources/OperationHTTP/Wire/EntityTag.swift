/// Names for the content of an answer (RFC 9110, 8.8.3), so that a client needs not be sent again what it has.
enum EntityTag {
    /// Equal for equal bytes. Of the FNV kind (G. Fowler, L. C. Noll, K.-P. Vo), over words: nobody gains by a collision but
    /// a client that wants to be wrong.
    static func of(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(bytes.count)
        bytes.withUnsafeBytes { buffer in
            let words = buffer.count / 8
            for index in 0..<words {
                hash =
                    (hash ^ buffer.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)) &* 0x0000_0100_0000_01b3
                hash ^= hash >> 32
            }
            for byte in buffer[(words * 8)...] { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        }
        return "\"\(String(hash ^ hash >> 29, radix: 16))\""
    }

    /// A weak tag: answers with equal states are as good as one another, though a clock in them may have gone on.
    static func weak(_ state: Hasher) -> String {
        "W/\"\(String(UInt64(bitPattern: Int64(state.finalize())), radix: 16))\""
    }

    /// The answer with its tag; without its body when the client has that already.
    static func answer(_ answer: APIResponse, tag: String, to request: APIRequest) -> APIResponse {
        guard let known = request.header("If-None-Match"), matches(known, tag) else { return answer }
        var unchanged = APIResponse(status: 304, headers: answer.headers.filter { !$0.isNamed("Content-Type") })
        if case .bytes(let bytes) = answer.body { unchanged.unsentBody = .length(bytes.count) }
        return unchanged
    }

    /// Compares as `If-None-Match` has to: weakly, so that `W/` makes no difference.
    private static func matches(_ header: String, _ tag: String) -> Bool {
        let tag = strong(tag[...])
        return header.split(separator: ",").contains { item in
            let name = item.drop { $0 == " " }.prefix { $0 != " " }
            return name == "*" || strong(name) == tag
        }
    }

    private static func strong(_ tag: Substring) -> Substring {
        tag.hasPrefix("W/") ? tag.dropFirst(2) : tag
    }
}

extension APIResponse {
    /// A list as JSON, with a tag.
    ///
    /// - Parameter tag: a tag of what is in it; `nil` for one of its bytes.
    package static func list(_ bytes: [UInt8], tag: String? = nil, to request: APIRequest) -> APIResponse {
        let tag = tag ?? EntityTag.of(bytes)
        let headers = [
            APIHeader("Content-Type", "application/json"), APIHeader("Cache-Control", "no-cache"),
            APIHeader("ETag", tag),
        ]
        return EntityTag.answer(APIResponse(headers: headers, body: .bytes(bytes)), tag: tag, to: request)
    }
}
