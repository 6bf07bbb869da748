import CMicroHTTPD
import OperationHTTP

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The header fields of a request, read once.
///
/// libmicrohttpd 0.9 takes a NUL for the end of a field, and reads on at the next line, where a proxy before it may have read
/// something else. So each field has to begin where the one before it ends.
struct RequestHead {
    /// The fields that anybody looks at.
    private(set) var headers: [APIHeader] = []
    private(set) var contentLength: Int?
    /// Whether the client sends the body only once it is told to.
    private(set) var expectsContinue = false

    private let size: Int
    private let valueCount: Int
    private var cookieSize: Int?
    private var fieldCount = 0
    private var contentLengthCount = 0
    private var transferEncodings: [String] = []
    private var isMalformed = false
    private var end: UnsafePointer<CChar>?

    /// - Parameters:
    ///   - connection: on its own thread.
    ///   - line: the parts of the request line, where libmicrohttpd has them.
    init(of connection: OpaquePointer, _ line: RequestLine) {
        let isExact = cmhd_keeps_head_in_place() != 0
        size = Int(cmhd_head_size(connection))
        valueCount = Int(cmhd_value_count(connection))
        if isExact {
            isMalformed = !line.isWhole
            end = line.end
        }
        forEachField(.HEADER_KIND, of: connection) { take($0, $1) }
        if isExact, let end {
            let used = line.start.distance(to: end)
            // The empty line after the last field, with or without a carriage return, which the field may have, too.
            isMalformed = isMalformed || !(2...4).contains(size - used)
        }
    }

    /// Whether a body follows.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    /// Whether nobody says how long the body is.
    var isChunked: Bool { !transferEncodings.isEmpty }

    /// How much of the connection's memory is left; less than zero where the answer's head may not fit.
    func spare(of memory: ConnectionMemory) -> Int {
        memory.spare(headSize: size, valueCount: valueCount, cookieSize: cookieSize)
    }

    /// Why the request can't be taken, whatever it asks for.
    func problem(in memory: ConnectionMemory) -> APIProblem? {
        if size > memory.headLimit {
            return APIProblem(
                431,
                "head_too_long",
                "The request line and the header fields have more than \(memory.headLimit) bytes: send less in them."
            )
        }
        if fieldCount > Self.fieldLimit {
            return APIProblem(
                431,
                "too_many_headers",
                "The request has more than \(Self.fieldLimit) header fields: send fewer."
            )
        }
        if spare(of: memory) < 0 {
            return APIProblem(
                431,
                "head_too_long",
                "The request's \(valueCount) header fields, parameters and cookies leave no room for the answer: send fewer, or shorter ones."
            )
        }
        if isMalformed {
            return .malformed(
                "The request's head holds NUL, a line that is continued, or a space before a colon: leave these out."
            )
        }
        // Where these could be read in two ways, a proxy before this server may have read the other.
        if contentLengthCount > 1 || (contentLengthCount > 0 && !transferEncodings.isEmpty) {
            return .malformed(
                "The request says its length more than once: send one Content-Length or Transfer-Encoding."
            )
        }
        if let coding = transferEncodings.first, transferEncodings.count > 1 || coding.lowercased() != "chunked" {
            return .malformed("The transfer coding is not known here: send the body as it is, or chunked.")
        }
        return nil
    }

    private mutating func take(_ name: UnsafeBufferPointer<CChar>, _ value: UnsafeBufferPointer<CChar>) {
        fieldCount += 1
        guard let nameStart = name.baseAddress else { return }
        if let end, !(1...2).contains(end.distance(to: nameStart)) { isMalformed = true }
        if end != nil { end = (value.baseAddress ?? nameStart) + value.count }
        if name.contains(0x20) || name.contains(0x09) { isMalformed = true }
        if let known = Self.known(name) {
            // libmicrohttpd reads the first alone.
            if known == "Cookie", cookieSize == nil { cookieSize = value.count }
            headers.append(APIHeader(known, Self.text(value)))
        } else if Self.isNamed(name, Self.contentLengthName) {
            contentLengthCount += 1
            contentLength = Int(Self.text(value))
        } else if Self.isNamed(name, Self.transferEncodingName) {
            transferEncodings.append(Self.text(value))
        } else if Self.isNamed(name, Self.expectName) {
            expectsContinue = Self.isNamed(value, Self.continueValue)
        }
    }

    private static let fieldLimit = 100
    private static let contentLengthName = Array("content-length".utf8)
    private static let transferEncodingName = Array("transfer-encoding".utf8)
    private static let expectName = Array("expect".utf8)
    private static let continueValue = Array("100-continue".utf8)
    private static let knownNames = APIRequest.readHeaders.map { (name: $0, bytes: Array($0.lowercased().utf8)) }

    private static func known(_ name: UnsafeBufferPointer<CChar>) -> String? {
        knownNames.first { isNamed(name, $0.bytes) }?.name
    }

    private static func isNamed(_ name: UnsafeBufferPointer<CChar>, _ other: [UInt8]) -> Bool {
        guard name.count == other.count else { return false }
        return zip(name, other).allSatisfy { byte, expected in
            let byte = UInt8(bitPattern: byte)
            return byte == expected || (byte | 0x20 == expected && (0x41...0x5A).contains(byte))
        }
    }

    private static func text(_ bytes: UnsafeBufferPointer<CChar>) -> String {
        String(decoding: UnsafeRawBufferPointer(bytes), as: UTF8.self)
    }
}

/// Where the parts of a request line stand in libmicrohttpd's buffer: valid during one of its calls.
struct RequestLine {
    /// The method's first letter.
    let start: UnsafePointer<CChar>
    /// The last character of the target, and one.
    let targetEnd: UnsafePointer<CChar>?
    let version: UnsafePointer<CChar>

    /// Whether there is one character between target and version, and so no NUL in the target.
    var isWhole: Bool { targetEnd.map { $0.distance(to: version) == 1 } ?? false }

    var end: UnsafePointer<CChar> { version + strlen(version) }
}

/// What the trailer fields of a chunked body take of a connection's memory.
func trailerSize(on connection: OpaquePointer) -> Int {
    var size = 0
    forEachField(.FOOTER_KIND, of: connection) { name, value in
        size += ConnectionMemory.trailerSize(name: name.count, value: value.count)
    }
    return size
}

/// What is told a field's name and value, where libmicrohttpd has them.
private typealias FieldReader = (_ name: UnsafeBufferPointer<CChar>, _ value: UnsafeBufferPointer<CChar>) -> Void

private func forEachField(_ kind: MHD_ValueKind, of connection: OpaquePointer, _ read: FieldReader) {
    withoutActuallyEscaping(read) { read in
        withUnsafePointer(to: read) { read in
            // It is there for the whole of the call, beyond which libmicrohttpd keeps nothing, and only read from.
            _ = MHD_get_connection_values_n(connection, kind, tellField, UnsafeMutableRawPointer(mutating: read))
        }
    }
}

private func tellField(
    context: UnsafeMutableRawPointer?,
    kind: MHD_ValueKind,
    name: UnsafePointer<CChar>?,
    nameSize: Int,
    value: UnsafePointer<CChar>?,
    valueSize: Int
) -> MHD_Result {
    guard let context else { return .NO }
    context.assumingMemoryBound(to: FieldReader.self).pointee(
        UnsafeBufferPointer(start: name, count: nameSize),
        UnsafeBufferPointer(start: value, count: valueSize)
    )
    return .YES
}
