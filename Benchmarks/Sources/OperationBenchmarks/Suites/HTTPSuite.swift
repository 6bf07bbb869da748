import CBareHTTP
import Foundation
import OperationServer

extension Suite {
    /// How many requests `wizard serve` answers, beside the original's stack and beside libmicrohttpd alone, and what clients
    /// cost that watch.
    static let http = Suite(name: "http") { isQuick in
        let load = Load(seconds: isQuick ? 1 : 3, runs: isQuick ? 1 : 3)
        var results: [Measurement] = []
        for (count, ahead) in [(10, 10.0), (1000, 40.0)] {
            results += try requests(active: count, ahead: ahead, load)
        }
        return results + (try eventStreams(clients: isQuick ? 200 : 2000, seconds: isQuick ? 2 : 10))
    }
}

private let summary = "/api/ports/operations/summary"

private func requests(active count: Int, ahead: Double, _ load: Load) throws -> [Measurement] {
    let folder = try Folder()
    defer { folder.remove() }
    guard let ours = try ServerProcess.wizard(data: folder.path("data")) else { return [] }
    defer { ours.stop() }
    for number in 0..<count {
        let parameters = "operation_type=download&description=bench%20\(number)&total_size_mb=1024"
        try ours.ask("/api/ports/operations/start?\(parameters)", method: "POST")
    }
    let size = try ours.ask(summary).utf8.count
    guard let rate = try load.requestsPerSecond(ours.url + summary) else { return [] }

    func measurement(beside peer: String, _ value: Double?, atLeast ratio: Double) -> Measurement {
        Measurement(
            "summary of \(count) active over HTTP, beside \(peer)",
            rate,
            unit: "requests/s",
            peer: .init(name: peer, value: value),
            budget: Budget(ratioAtLeast: ratio)
        )
    }
    let original = try ServerProcess.original(active: count)
    defer { original?.stop() }
    let originalRate = try original.flatMap { try load.requestsPerSecond($0.url + summary) }?.median
    var results = [measurement(beside: "FastAPI on uvicorn", originalRate, atLeast: ahead)]
    if count == 10 {
        let bare = try bareRate(bytes: size, load)
        results.append(measurement(beside: "libmicrohttpd alone with \(size) bytes", bare, atLeast: 0.45))
    }
    return results
}

/// What libmicrohttpd gives with as many threads as ours has, for an answer of the same size that it needn't make.
private func bareRate(bytes: Int, _ load: Load) throws -> Double? {
    let body = [UInt8](repeating: UInt8(ascii: "x"), count: bytes)
    let threads = OperationServer.Configuration().threads
    guard let server = bare_http_start(body, body.count, UInt32(threads)) else { return nil }
    defer { bare_http_stop(server) }
    return try load.requestsPerSecond("http://127.0.0.1:\(bare_http_port(server))/")?.median
}

/// `wrk`, a program that asks as fast as it can, here over 16 connections from one thread.
private struct Load {
    let seconds: Int
    let runs: Int
    private let wrk = Program("wrk", from: "wrk")

    init(seconds: Int, runs: Int) {
        self.seconds = seconds
        self.runs = runs
    }

    /// `nil` when wrk isn't here.
    func requestsPerSecond(_ url: String) throws -> Timing? {
        guard let path = wrk.path else { return nil }
        return Timing(runs: try (0..<runs).map { _ in try rate(path, url) })
    }

    private func rate(_ path: String, _ url: String) throws -> Double {
        let output = String(
            decoding: try run(path, ["-t1", "-c16", "-d\(seconds)s", "--timeout", "30s", url]),
            as: UTF8.self
        )
        let lines = output.split(separator: "\n")
        guard !lines.contains(where: { $0.contains("Non-2xx") || $0.contains("Socket errors") }),
            let figure = lines.first(where: { $0.hasPrefix("Requests/sec:") })?.split(separator: " ").last,
            let value = Double(figure), value > 0
        else { throw ServerProcess.NoAnswer(what: "What wrk asked of \(url)", answer: output) }
        return value
    }
}
