import CMicroHTTPD
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A server that answers `POST /api/pull` as Ollama 0.32.15 was recorded to do, without models, registry or disk.
///
/// It is there for demonstrations and tests. Besides pulls it answers `GET /api/tags` and `GET /api/version`. What it has
/// pulled it keeps as long as it lives: a pull that was broken off goes on where it was, and a layer that one model has
/// brought is there for the next one. It listens on loopback alone and asks nobody for anything.
///
/// ```swift
/// let ollama = try OllamaStandIn(models: [
///     ScriptedModel(name: "demo", bytes: 200_000_000, faults: [Fault(.cut(afterBytes: 50_000_000), times: 1)])
/// ])
/// print(ollama.url)
/// ```
public final class OllamaStandIn: Sendable {
    /// Why a stand-in could not start.
    public struct StartError: Error, CustomStringConvertible {
        /// What went wrong, for a person to act on.
        public let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    public let url: String

    private let activity = Activity()
    private let shell: HTTPShell
    /// libmicrohttpd's handle, given out once: to the call that stops it.
    private let daemon: Mutex<OpaquePointer?>

    /// Listens on 127.0.0.1, at a free port when `port` is 0. A later model takes the place of an earlier one of the
    /// same name.
    ///
    /// - Throws: `StartError` when the port is taken or a model's name is none that Ollama would take.
    public init(models: [ScriptedModel], port: UInt16 = 0) throws(StartError) {
        var byName: [ModelName: ScriptedModel] = [:]
        for model in models {
            guard let name = ModelName(model.name) else { throw StartError("invalid model name: \(model.name)") }
            byName[name] = model
        }
        shell = HTTPShell(router: Router(store: ModelStore(byName)), activity: activity)
        guard let handle = shell.start(port: port) else {
            throw StartError("can't listen on 127.0.0.1:\(port): \(String(cString: strerror(errno)))")
        }
        url = "http://127.0.0.1:\(cmhd_bound_port(handle))"
        daemon = Mutex(handle)
    }

    deinit {
        stop()
    }

    /// The pulls that are being answered now. It has fallen when a client sees the end of its answer, and falls within
    /// milliseconds of a client's closing its connection.
    public var pullsInFlight: Int { activity.pullsInFlight }

    /// The requests answered or being answered, as `POST /api/pull`; the newest thousand, oldest first.
    public var requestsSeen: [String] { activity.requestsSeen }

    /// Stops listening and closes every connection at once, those with a pull on its way without its end, like a killed
    /// server. Returns when all is closed; a second call does nothing.
    public func stop() {
        guard let daemon = daemon.withLock({ $0.take() }) else { return }
        MHD_stop_daemon(daemon)
    }
}
