import CGetopt
import OperationTracking

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One option that a command takes.
struct Option: Sendable {
    let name: String
    /// The one letter that it may be given as; `nil` for none.
    let short: Character?
    /// What its argument is called, such as `N`; `nil` when it takes none.
    let argument: String?
    let help: String

    init(_ name: String, short: Character? = nil, _ argument: String? = nil, help: String) {
        self.name = name
        self.short = short
        self.argument = argument
        self.help = help
    }

    var spelling: String {
        let names = short.map { "-\($0), --\(name)" } ?? "--\(name)"
        return argument.map { "\(names) \($0)" } ?? names
    }

    static let help = Option("help", help: "show this help")
    static let json = Option("json", help: "print JSON, for programs")
    static let yes = Option("yes", short: "y", help: "don't ask")
    static let detach = Option("detach", help: "leave the work to the running server, and return")
    static let data = Option(
        "data",
        "DIR",
        help: "keep the history in DIR (default: OPERATION_TRACKING_DATA or the state folder)"
    )
}

/// What the first operand of a command may be, where that is a command of its own.
struct Subcommand: Sendable {
    let name: String
    /// What stands behind it, such as `NAME [PORT]`.
    let operands: String
    let help: String

    init(_ name: String, _ operands: String = "", help: String) {
        self.name = name
        self.operands = operands
        self.help = help
    }

    var spelling: String { operands.isEmpty ? name : "\(name) \(operands)" }

    /// How many operands it takes: those in brackets may be left out.
    var operandCount: (least: Int, most: Int) {
        let words = operands.split(separator: " ")
        return (words.count { !$0.hasPrefix("[") }, words.count)
    }
}

/// The way the program is used is wrong.
struct UsageError: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

/// Options and operands as given, read by the C library's `getopt_long`.
struct ParsedOptions {
    private(set) var operands: [String] = []
    private var values: [String: [String]] = [:]

    /// - Parameters:
    ///   - arguments: what stands after the command's name.
    ///   - allowed: the options that the command takes.
    ///   - operandsEndOptions: whether everything from the first operand on is operands.
    /// - Throws: ``UsageError`` for an option that is unknown, or lacks its argument, or has one and takes none.
    init(_ arguments: [String], allowed: [Option], operandsEndOptions: Bool) throws {
        let names = allowed.map { strdup($0.name) }
        var argv: [UnsafeMutablePointer<CChar>?] = (["wizard"] + arguments).map { strdup($0) } + [nil]
        // getopt_long moves the strings about, so they are freed by a list of their own.
        let owned = argv
        defer { (names + owned).forEach { free($0) } }

        var table = zip(names, allowed).enumerated().map { index, entry in
            option(
                name: UnsafePointer(entry.0),
                has_arg: entry.1.argument == nil ? 0 : 1,
                flag: nil,
                val: Int32(1000 + index)
            )
        }
        table.append(option(name: nil, has_arg: 0, flag: nil, val: 0))

        let shortNames = allowed.compactMap { option in
            option.short.map { "\($0)" + (option.argument == nil ? "" : ":") }
        }
        let shape = (operandsEndOptions ? "+:h" : ":h") + shortNames.joined()

        cgetopt_begin()
        let count = Int32(argv.count - 1)
        while true {
            // The colon asks for ':' when an argument is missing, instead of the '?' of an unknown option; the plus asks to
            // stop at the first operand.
            let found = getopt_long(count, &argv, shape, table, nil)
            switch found {
            case -1:
                operands = (Int(cgetopt_index())..<Int(count)).compactMap { argv[$0].map { String(cString: $0) } }
                return
            case Int32(UInt8(ascii: "h")):
                values["help", default: []].append("")
            case 1000...:
                take(allowed[Int(found - 1000)])
            case Int32(UInt8(ascii: ":")):
                throw UsageError("\(Self.last(argv)) needs an argument.")
            case let letter:
                if let option = allowed.first(where: { $0.short?.asciiValue.map(Int32.init) == letter }) {
                    take(option)
                    continue
                }
                throw UsageError("'\(Self.last(argv))' is no option here, or takes no argument.")
            }
        }
    }

    private mutating func take(_ option: Option) {
        values[option.name, default: []].append(cgetopt_argument().map { String(cString: $0) } ?? "")
    }

    /// These options, and of the others those that are not given here.
    func keeping(_ others: ParsedOptions) -> ParsedOptions {
        var all = self
        all.values.merge(others.values) { given, _ in given }
        return all
    }

    /// These options without those that are not among `options`.
    func only(_ options: [Option]) -> ParsedOptions {
        var all = self
        all.values = values.filter { name, _ in options.contains { $0.name == name } }
        return all
    }

    /// The options with the paths among them from the root on.
    ///
    /// - Parameter folder: where the paths were given.
    func withAbsolutePaths(_ options: [Option], in folder: String) -> ParsedOptions {
        var all = self
        for option in options where option.takesFile || option.takesFolder {
            all.values[option.name] = values[option.name]?.map { $0.hasPrefix("/") ? $0 : folder + "/" + $0 }
        }
        return all
    }

    func has(_ name: String) -> Bool { values[name] != nil }

    /// The option's argument; the last one when it was given more than once.
    func text(_ name: String) -> String? { values[name]?.last }

    /// All of the option's arguments as they were given.
    func all(_ name: String) -> [String] { values[name] ?? [] }

    /// All of the option's arguments, each of which may hold several with commas between.
    ///
    /// - Throws: ``UsageError`` when one is empty: it would ask for nothing and be taken for everything.
    func list(_ name: String) throws -> [String] {
        let all = (values[name] ?? []).flatMap {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        if all.contains("") { throw UsageError("--\(name) takes a name, not nothing.") }
        return all
    }

    /// The option's argument as a whole number.
    ///
    /// - Throws: ``UsageError`` when it is none, or not within `range`.
    func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = text(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "--\(name) takes a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'."
            )
        }
        return number
    }

    /// The one operand of a command that takes one.
    ///
    /// - Throws: ``UsageError`` when there is none, or more than one.
    func operand(_ meaning: String) throws -> String {
        guard let first = operands.first else { throw UsageError("\(meaning) is missing.") }
        guard operands.count == 1 else { throw UsageError("one \(meaning) is enough; '\(operands[1])' is too much.") }
        return first
    }

    /// The one operand of a command about one operation.
    ///
    /// - Throws: ``UsageError`` when there is none, or one that is no operation's id.
    func operationID() throws -> OperationID {
        let text = try operand("ID")
        guard let id = OperationID(rawValue: text) else {
            throw UsageError(
                "'\(text.printable.truncated(to: 80))' is no operation's id: they begin with op_, see `wizard operations`."
            )
        }
        return id
    }

    /// - Throws: ``UsageError`` when there is an operand.
    func refuseOperands() throws {
        if let first = operands.first { throw UsageError("'\(first)' is too much: this command takes options only.") }
    }

    private static func last(_ argv: [UnsafeMutablePointer<CChar>?]) -> String {
        let index = Int(cgetopt_index()) - 1
        guard argv.indices.contains(index), let text = argv[index] else { return "an option" }
        return String(cString: text)
    }
}
