import OperationTracking

/// What a server's answer to a request for a file, or for the rest of one, comes to. Pure.
enum DownloadAnswer: Equatable {
    /// The body is the whole file, of `total` bytes as far as that is known.
    case whole(total: Int64?)
    /// The body goes on where the part ends, up to byte `end` (which is not included) of `total`.
    case rest(end: Int64, total: Int64?)
    /// The part is complete already.
    case complete
    /// The server can't go on where the part ends: ask for the whole file.
    case beginAgain
    /// The server gives nothing.
    case refused(OperationFailure)

    /// - Parameters:
    ///   - status: the answer's status.
    ///   - headers: its fields.
    ///   - offset: the byte from which on was asked for; 0 for the whole file.
    ///   - note: what is known of the part that is there.
    ///   - wallMilliseconds: the time now, since 1970.
    init(status: Int, headers: HTTPHeaders, offset: Int64, note: PartNote?, at wallMilliseconds: Int64) {
        switch status {
        case 200:
            self = .whole(total: headers["Content-Length"].flatMap(Self.amount))
        case 206 where offset > 0:
            self = Self.rest(headers, offset: offset, note: note)
        case 416 where offset > 0:
            let range = headers["Content-Range"].flatMap(ContentRange.init)
            self = range?.total == offset && note?.total ?? offset == offset ? .complete : .beginAgain
        default:
            self = .refused(.download(status: status, retryAfter: headers.retryAfter(at: wallMilliseconds)))
        }
    }

    /// The server was told which version of the file the part is of, but that it understood is seen by what it sends alone.
    private static func rest(_ headers: HTTPHeaders, offset: Int64, note: PartNote?) -> DownloadAnswer {
        guard let range = headers["Content-Range"].flatMap(ContentRange.init), range.first == offset,
            let last = range.last
        else { return .beginAgain }
        guard note.map({ $0.isOfSameFile(as: headers) }) ?? true else { return .beginAgain }
        if let known = note?.total, let total = range.total, known != total { return .beginAgain }
        return .rest(end: last + 1, total: range.total ?? note?.total)
    }

    /// A number of bytes as a field has it: digits alone.
    static func amount(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text).flatMap { $0 < .max ? $0 : nil }
    }
}

/// `Content-Range` (RFC 9110, section 14.4): `bytes 100-199/500`, where the whole may be `*`, or `bytes */500`.
struct ContentRange: Equatable {
    /// The first and last byte; `nil` where the range could not be given.
    let first: Int64?
    let last: Int64?
    let total: Int64?

    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let parts = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        total = parts[1] == "*" ? nil : DownloadAnswer.amount(parts[1])
        if parts[1] != "*", total == nil { return nil }
        if parts[0] == "*" {
            (first, last) = (nil, nil)
            return
        }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { DownloadAnswer.amount($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last, last < total ?? .max else {
            return nil
        }
        (self.first, self.last) = (first, last)
    }
}
