import OperationTracking

/// A command that wishes something of an operation of the running server.
protocol WishCommand: Command {
    /// What is said when the server has taken the wish.
    static var answer: String { get }
    var wish: Wish { get }
    init(wish: Wish)
}

/// Of which operation something is wished, and how the answer is shown.
struct Wish {
    let id: OperationID
    let data: String
    let json: Bool
}

extension WishCommand {
    static var operands: String { "ID" }
    static var options: [Option] { [.data, .json] }

    init(_ options: ParsedOptions) throws {
        self.init(
            wish: Wish(
                id: try options.operationID(),
                data: try DataDirectory.path(options),
                json: options.has("json")
            )
        )
    }

    func run() async throws -> ExitCode {
        let client = try await ServerClient.require(in: wish.data)
        let bytes = try await client.post("\(ServerClient.operations)/\(wish.id)/\(Self.name)")
        if wish.json {
            Console.json(bytes)
            return .done
        }
        let fields = try Wire.read(TakenWish.self, from: bytes)
        // A wish takes effect when the work gets to it.
        let now = fields.pendingRequest == nil ? "is \(fields.status.rawValue)" : Self.answer
        Console.line("\(wish.id) \(now).")
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
    let wish: Wish
}

struct ResumeCommand: WishCommand {
    static let name = "resume"
    static let summary = "let a paused operation of the running server go on"
    static let answer = "will go on as soon as there is room"
    let wish: Wish
}

struct CancelCommand: WishCommand {
    static let name = "cancel"
    static let summary = "cancel an operation of the running server"
    static let answer = "will stop as soon as it can"
    let wish: Wish
}
