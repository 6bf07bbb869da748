/// What libmicrohttpd has for each connection, and how much of it the head of a request leaves for that of the answer.
///
/// The memory holds what was read, a record for each field, parameter and cookie, and a copy of the cookies. Where the answer's
/// head doesn't fit beside them, libmicrohttpd closes the connection without a word, whatever has been done by then.
struct ConnectionMemory: Sendable {
    /// How many bytes a request line and its header fields may have.
    let headLimit: Int
    /// The memory of a connection, in bytes: a head that is somewhat too long has to get in, to be refused in the API's words.
    let size: Int

    init(headLimit: Int) {
        self.headLimit = min(max(8 << 10, headLimit), 1 << 20)
        size = self.headLimit / 3 * 4
    }

    /// How many bytes are left once there is room for the answer's head; less than zero where there is none.
    ///
    /// The head of a short request counts as more, since what is read with it may be the beginning of the next request:
    /// libmicrohttpd reads into half of the memory, into some more where the head nearly fills that, and from there on as far as
    /// it has to, by 128 bytes at a time.
    ///
    /// - Parameters:
    ///   - headSize: bytes of the request line and the fields.
    ///   - valueCount: how many fields, parameters and cookies there are.
    ///   - cookieSize: bytes of the `Cookie` field's value; `nil` without one.
    func spare(headSize: Int, valueCount: Int, cookieSize: Int?) -> Int {
        let read = headSize <= size / 16 * 7 ? size / 2 : max(size / 16 * 9, headSize + 128)
        let copy = cookieSize.map { ($0 + 16) / 16 * 16 } ?? 0
        return size - read - valueCount * Self.recordSize - copy - Self.answerHeadSize
    }

    /// What a trailer field of a chunked body takes.
    static func trailerSize(name: Int, value: Int) -> Int { recordSize + name + value + 4 }

    private static let recordSize = 64
    /// The longest is that of a page, with its content policy.
    private static let answerHeadSize = 768
}
