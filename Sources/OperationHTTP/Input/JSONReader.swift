package import OperationTracking

/// Reads JSON text (RFC 8259) strictly: nothing may follow it, no key may come twice, nesting is bounded, every number must
/// be one that a `Double` can hold.
///
/// The toolchain's decoder takes the last of two equal keys and nests as deep as the stack goes; both are ways to make two
/// readers disagree, or one of them crash.
package enum JSONReader {
    private static let rules = OrderedJSON.Rules(
        deepest: 32,
        keysMayRepeat: false,
        numbersFitDouble: true,
        takesByteOrderMark: false
    )

    /// Reads the body of a request.
    ///
    /// - Throws: ``APIProblem`` (400) that says what is wrong and where.
    package static func read(_ bytes: [UInt8]) throws(APIProblem) -> JSONValue {
        do throws(JSONFault) {
            return try parse(bytes)
        } catch {
            throw .malformed("The body is not JSON that can be taken: \(error.what), at byte \(error.offset).")
        }
    }

    /// Reads any JSON text.
    package static func parse(_ bytes: [UInt8]) throws(JSONFault) -> JSONValue {
        try JSONValue(try OrderedJSON.read(bytes, rules))
    }
}

extension JSONValue {
    fileprivate init(_ json: OrderedJSON) throws(JSONFault) {
        switch json {
        case .array(let elements):
            self = .array(try elements.map { element throws(JSONFault) in try JSONValue(element) })
        case .object(let members):
            self = .object(
                try members.map { member throws(JSONFault) in (member.key ?? "", try JSONValue(member.value)) }
            )
        case .scalar("null"): self = .null
        case .scalar("true"): self = .bool(true)
        case .scalar("false"): self = .bool(false)
        case .scalar(let literal):
            if let text = json.text {
                self = .string(text)
            } else if let whole = Int64(literal) {
                self = .integer(whole)
            } else if let number = Double(literal) {
                self = .number(number)
            } else {
                throw JSONFault(what: "\(literal.bounded(toBytes: 60)) is no value", offset: 0)
            }
        }
    }
}
