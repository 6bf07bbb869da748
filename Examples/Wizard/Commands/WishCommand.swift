import OperationTracking

/// A command that wishes something of an operation of the running server.
protocol WishCommand: Command {
    /// What is said when the server has taken the wish.
    static var answer: String { get }
    var id: OperationID { get }
    var data: String { get }
    var json: Bool { get }
}

extension WishCommand {
    static var operands: String { "ID" }
    static var options: [Option] { [.data, .json] }

    func run() async throws -> ExitCode {
        let client = try await ServerClient.require(in: data)
        let bytes = try await client.post("\(ServerClient.operations)/\(id)/\(Self.name)")
        if json {
            Console.json(bytes)
            return .done
        }
        let fields = try Wire.read(TakenWish.self, from: bytes)
        // A wish takes effect when the work gets to it.
        let now = fields.pendingRequest == nil ? "is \(fields.status.rawValue)" : Self.answer
        Console.line("\(id) \(now).")
        return .done
    }
}

/// What the server says to a wish that it has taken.
private struct TakenWish: Decodable {
    let status: OperationStatus
    let pendingRequest: PendingRequest?
}

struct PauseCommand: WishCommand {
    static let name = "pause"
    static let summary = "pause an operation of the running server"
    static let answer = "will pause as soon as it can"

    let id: OperationID
    let data: String
    let json: Bool

    init(_ options: ParsedOptions) throws {
        id = try options.operationID()
        data = try DataDirectory.path(options)
        json = options.has("json")
    }
}

struct ResumeCommand: WishCommand {
    static let name = "resume"
    static let summary = "let a paused operation of the running server go on"
    static let answer = "will go on as soon as there is room"

    let id: OperationID
    let data: String
    let json: Bool

    init(_ options: ParsedOptions) throws {
        id = try options.operationID()
        data = try DataDirectory.path(options)
        json = options.has("json")
    }
}

struct CancelCommand: WishCommand {
    static let name = "cancel"
    static let summary = "cancel an operation of the running server"
    static let answer = "will stop as soon as it can"

    let id: OperationID
    let data: String
    let json: Bool

    init(_ options: ParsedOptions) throws {
        id = try options.operationID()
        data = try DataDirectory.path(options)
        json = options.has("json")
    }
}
