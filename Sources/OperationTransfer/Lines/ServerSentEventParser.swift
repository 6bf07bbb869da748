/// One event of a stream of Server-Sent Events.
package struct ServerSentEvent: Sendable, Hashable {
    /// What the stream is asked to go on after; `nil` while it has named none.
    package var id: String?
    /// What kind of event it is; `message` where the stream doesn't say.
    package var name: String
    /// What it tells, its lines joined by line feeds.
    package var data: [UInt8]

    package init(id: String? = nil, name: String = "message", data: [UInt8]) {
        self.id = id
        self.name = name
        self.data = data
    }
}

/// Takes a stream of Server-Sent Events apart (WHATWG HTML, "Parsing an event stream"), whatever its chunks are.
package struct ServerSentEventParser: Sendable {
    private let limit: Int
    private var line: [UInt8] = []
    private var lastWasReturn = false
    private var isFirstLine = true
    private var lastID: String?
    private var name = ""
    private var data: [UInt8] = []
    private var hasData = false

    /// A parser that refuses events of more than `limit` bytes.
    package init(limit: Int = 64 << 20) {
        self.limit = limit
    }

    /// Takes in the next bytes of the stream.
    ///
    /// - Returns: the events that are whole now. One that the stream's end cuts short is none.
    /// - Throws: ``TransferError/Code/lineTooLong``.
    package mutating func append(_ bytes: [UInt8]) throws(TransferError) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(where: { $0 == Self.lineFeed || $0 == Self.carriageReturn }) {
            // A return and a feed are one ending, also where they come in two chunks.
            let isSecondHalf = lastWasReturn && end == rest.startIndex && rest[end] == Self.lineFeed
            lastWasReturn = rest[end] == Self.carriageReturn
            if !isSecondHalf {
                line += rest[..<end]
                try checkLength()
                if let event = takeLine() { events.append(event) }
            }
            rest = rest[(end + 1)...]
        }
        if !rest.isEmpty { lastWasReturn = false }
        line += rest
        try checkLength()
        return events
    }

    private func checkLength() throws(TransferError) {
        guard line.count + data.count <= limit else {
            throw TransferError(.lineTooLong, "An event of the stream has more than the \(limit) bytes allowed for it.")
        }
    }

    private mutating func takeLine() -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        isFirstLine = false
        guard !line.isEmpty else { return takeEvent() }
        let colon = line.firstIndex(of: UInt8(ascii: ":"))
        var value = colon.map { line[($0 + 1)...] } ?? []
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<(colon ?? line.endIndex)], as: UTF8.self) {
        case "event": name = String(decoding: value, as: UTF8.self)
        case "id" where !value.contains(0): lastID = String(decoding: value, as: UTF8.self)
        case "data":
            if hasData { data.append(Self.lineFeed) }
            data += value
            hasData = true
        // A comment begins with the colon; what else there may be is for later versions of the protocol.
        default: break
        }
        return nil
    }

    private mutating func takeEvent() -> ServerSentEvent? {
        defer { (name, data, hasData) = ("", [], false) }
        guard hasData else { return nil }
        return ServerSentEvent(id: lastID, name: name.isEmpty ? "message" : name, data: data)
    }

    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
}
