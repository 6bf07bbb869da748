/// An answer that is there as a whole.
struct WholeAnswer: Sendable, Equatable {
    var status = 200
    var contentType = "application/json; charset=utf-8"
    /// The `Allow` header of a 405.
    var allow: String?
    var body: String

    /// A refusal, in Ollama's form.
    static func refusal(_ status: Int, _ message: String) -> WholeAnswer {
        WholeAnswer(status: status, body: PullLine.error(message).json)
    }
}

/// How a pull begins.
enum PullOpening {
    case events(any PullEventStream)
    /// A fault takes the place of the pull.
    case whole(WholeAnswer)
}

/// What a request is answered with.
enum Answer {
    case whole(WholeAnswer)
    /// `streams` is false where the client wants to hear of nothing but the end.
    case pull(of: ModelName, any PullEventStream, streams: Bool)
}

extension FixedEvents {
    /// What Ollama says when the registry does not know the model. Its text does not name it.
    static var unknownModel: FixedEvents {
        let lines: [PullLine] = [.status("pulling manifest"), .error("pull model manifest: file does not exist")]
        return FixedEvents(lines.map { PullEvent(at: 0, action: .send($0.encoded)) })
    }
}

extension Fault.Kind {
    /// What takes the place of the pull, for the kinds that replace the whole answer.
    var wholeAnswer: PullOpening? {
        switch self {
        case .status(let status, let body):
            .whole(WholeAnswer(status: status, body: body))
        case .raw(let bytes):
            .events(FixedEvents([PullEvent(at: 0, action: .send(bytes))]))
        case .rawThenCut(let bytes):
            .events(FixedEvents([PullEvent(at: 0, action: .send(bytes)), PullEvent(at: 0, action: .cut)]))
        case .error, .cut, .completedFalls, .stall, .hang, .digestMismatch:
            nil
        }
    }
}
