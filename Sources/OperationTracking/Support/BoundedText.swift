/// Texts from outside, made fit to be kept and shown.
extension String {
    /// The text cut to at most so many bytes of UTF-8, at the border of a Unicode scalar.
    ///
    /// Characters would not do as a measure: one may have any number of combining marks.
    package func bounded(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }

    /// The text cut to at most so many Unicode scalars, which is how JSON Schema counts a text's length.
    package func bounded(toScalars limit: Int) -> String {
        // None is shorter than a byte, so nearly every text is short enough at once.
        guard utf8.count > limit else { return self }
        return String(unicodeScalars.prefix(limit))
    }

    /// The text without what a URL in it may give away: signed links carry their signature in the query, and credentials may
    /// stand before the host.
    package var withoutURLSecrets: String {
        // By scalars: to a `Character` a mark that combines belongs to the sign before it, which then is no '@' and no '?'.
        var result = String.UnicodeScalarView()
        var rest = unicodeScalars[...]
        while let scheme = rest.firstRange(of: ":/".unicodeScalars) {
            // Quotation marks are legal in what programs take for a URL, so only white space ends it; those at its end are the
            // text's.
            let after = rest[scheme.upperBound...].drop { $0 == "/" }
            let word = after.prefix { !$0.properties.isWhitespace }
            let closing = word.reversed().prefix { "\"'>)]\\,.;:".unicodeScalars.contains($0) }.count
            let address = word.dropLast(closing)
            let shown = address.prefix { $0 != "?" && $0 != "#" }
            let host = shown.prefix { $0 != "/" }
            result += rest[..<after.startIndex]
            result += host[(host.lastIndex(of: "@").map { host.index(after: $0) } ?? host.startIndex)...]
            result += shown[host.endIndex...]
            if shown.endIndex != address.endIndex { result += [address[shown.endIndex], "…"] }
            rest = rest[address.endIndex...]
        }
        result += rest
        return String(result)
    }
}

extension Unicode.Scalar {
    /// Whether the scalar is no sign but moves text about: a control character, a line separator, a change of direction.
    package var movesText: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        // Of the format characters those of the bidirectional algorithm (UAX 9); others join emoji and scripts.
        case .format:
            (0x202A...0x202E).contains(value) || (0x2066...0x2069).contains(value) || value == 0x200E || value == 0x200F
        default: false
        }
    }
}
