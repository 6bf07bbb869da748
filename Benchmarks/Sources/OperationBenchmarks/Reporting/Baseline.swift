import Foundation

extension Report {
    /// Reads what ``json()`` wrote: an object for each suite, one after the other, on lines or not, or in an array.
    static func read(_ path: String) throws(Refusal) -> [Report] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Refusal("\(path) can't be read: give a file that --json wrote.")
        }
        do {
            let reports = try objects(in: Array(text.utf8)).map {
                try JSONDecoder().decode(Report.self, from: Data($0))
            }
            guard reports.flatMap(\.results).allSatisfy({ $0.spread.count == 2 }) else { throw NoObject() }
            return reports
        } catch {
            throw Refusal("\(path) has something in it that isn't a suite's results: give a file that --json wrote.")
        }
    }

    /// What is to be compared with.
    ///
    /// - Throws: ``Refusal`` when that has no figure of these suites: it isn't to be found out after they were measured.
    static func baseline(_ path: String, for suites: [String]) throws(Refusal) -> [Report] {
        let reports = try read(path).filter { suites.contains($0.suite) && !$0.results.isEmpty }
        guard !reports.isEmpty else {
            throw Refusal(
                "\(path) has no figures of \(suites.joined(separator: ", ")): there is nothing to compare with."
            )
        }
        return reports
    }

    private struct NoObject: Error {}

    /// The outermost objects in a text. What stands between them doesn't matter.
    private static func objects(in text: [UInt8]) throws -> [ArraySlice<UInt8>] {
        var found: [ArraySlice<UInt8>] = []
        var (depth, start, isString, isEscaped) = (0, 0, false, false)
        for (place, byte) in text.enumerated() {
            if isString {
                if !isEscaped, byte == UInt8(ascii: "\"") { isString = false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isString = true
            case UInt8(ascii: "{"):
                if depth == 0 { start = place }
                depth += 1
            case UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { found.append(text[start...place]) }
            default: break
            }
        }
        guard depth == 0, !isString else { throw NoObject() }
        return found
    }
}
