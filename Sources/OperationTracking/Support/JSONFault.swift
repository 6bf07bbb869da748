/// What is wrong with a JSON text, and where.
package struct JSONFault: Error, Hashable {
    package let what: String
    /// The byte, counted from 0.
    package let offset: Int

    package init(what: String, offset: Int) {
        self.what = what
        self.offset = offset
    }

    /// The line in which it is, counted from 1.
    package func line(in text: some Collection<UInt8>) -> Int {
        1 + text.prefix(offset).count { $0 == UInt8(ascii: "\n") }
    }
}
