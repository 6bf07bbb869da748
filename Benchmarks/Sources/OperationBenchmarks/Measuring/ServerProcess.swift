import CLoopbackClients
import Foundation

/// A server in a process of its own, which says on a line where it listens: `listening on http://127.0.0.1:PORT`.
struct ServerProcess {
    let url: String
    let port: UInt16
    let process: ChildProcess

    /// Starts it and waits for that line.
    init(_ program: String, _ arguments: [String]) throws {
        process = try ChildProcess(program, arguments)
        let line = process.firstOutput()
        url = line.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
        guard let port = url.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            process.end()
            throw NoAnswer(what: "The start of \(program)", answer: line)
        }
        self.port = port
    }

    /// `wizard serve` of the same build; `nil` when it isn't built, which has been said then.
    static func wizard(data: String) throws -> ServerProcess? {
        // Not by the first argument, which is no path where the shell found this program for itself.
        let folder = Bundle.main.executableURL?.deletingLastPathComponent()
        guard let program = folder?.appending(path: "wizard").path,
            FileManager.default.isExecutableFile(atPath: program)
        else {
            leaveOut("wizard serve: wizard is not built beside this program (--product wizard).")
            return nil
        }
        return try ServerProcess(program, ["serve", "--port", "0", "--data", data])
    }

    /// The original's shape on FastAPI and uvicorn; `nil` when Python or its packages aren't here, which has been said then.
    static func original(active: Int) throws -> ServerProcess? {
        guard Peers.areHere else { return nil }
        return try ServerProcess(Peers.python, ["\(Peers.directory)/service.py", String(active)])
    }

    func stop() { process.end() }

    /// Asks once.
    ///
    /// - Returns: the answer's body.
    /// - Throws: ``NoAnswer`` when that isn't 200 or 201.
    @discardableResult
    func ask(_ path: String, method: String = "GET") throws -> String {
        let request = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        var answer = [CChar](repeating: 0, count: 64 << 10)
        let length = loopback_request(port, request, &answer, answer.count)
        let text = String(decoding: answer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 20"), let body = text.range(of: "\r\n\r\n") else {
            throw NoAnswer(what: "\(method) \(path)", answer: text)
        }
        return String(text[body.upperBound...])
    }

    struct NoAnswer: Error, CustomStringConvertible {
        let what: String
        let answer: String

        var description: String { "\(what) was answered: \(answer.prefix(400))" }
    }
}
