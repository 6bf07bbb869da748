/// The fields of an HTTP head, in order. Names compare without regard to ASCII case, and repeated names are kept.
///
/// The description gives names alone, since a value may be a credential.
public struct HTTPHeaders: Sendable, Hashable {
    /// One field line.
    public struct Field: Sendable, Hashable {
        /// The name as it was written.
        public let name: String
        /// The value, without the white space round it.
        public let value: String

        /// A field.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    private var fields: [Field] = []

    /// No fields.
    public init() {}

    /// Adds a field after all others, whether or not there is one of that name.
    public mutating func append(name: String, value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// All values under `name`, in order.
    public func values(for name: String) -> [String] {
        fields.lazy.filter { $0.name.equalsIgnoringASCIICase(name) }.map(\.value)
    }

    /// The first value under `name`; `nil` where there is none.
    ///
    /// Setting a value puts it in the place of the first field of that name and removes the others; setting `nil` removes all.
    public subscript(name: String) -> String? {
        get {
            fields.first { $0.name.equalsIgnoringASCIICase(name) }?.value
        }
        set {
            let place = fields.firstIndex { $0.name.equalsIgnoringASCIICase(name) }
            fields.removeAll { $0.name.equalsIgnoringASCIICase(name) }
            if let newValue {
                fields.insert(Field(name: name, value: newValue), at: place ?? fields.endIndex)
            }
        }
    }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
    /// The fields as written, repeated names included.
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }
}

extension HTTPHeaders: RandomAccessCollection {
    /// Where the first field stands.
    public var startIndex: Int { fields.startIndex }
    /// One past the last field.
    public var endIndex: Int { fields.endIndex }
    /// The field at `position`, which must be a valid index.
    public subscript(position: Int) -> Field { fields[position] }
}

extension HTTPHeaders: CustomStringConvertible {
    /// The names of the fields, in order.
    public var description: String { fields.map(\.name).joined(separator: ", ") }
}

extension HTTPHeaders.Field: CustomStringConvertible {
    /// The name of the field.
    public var description: String { name }
}

extension String {
    /// Whether both are the same but for the case of ASCII letters, which is how field names compare (RFC 9110, section 5.1).
    func equalsIgnoringASCIICase(_ other: String) -> Bool {
        utf8.elementsEqual(other.utf8) { $0.lowercasedASCII == $1.lowercasedASCII }
    }
}

extension UInt8 {
    fileprivate var lowercasedASCII: UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self ? self | 0x20 : self
    }
}
