import CBareHTTP
import Foundation
import OperationServer

extension Suite {
    /// How many requests `wizard serve` answers, beside the original's stack and beside libmicrohttpd alone, and what clients
    /// cost that watch.
    static let http = Suite(name: "http") { isQuick in
        let load = Load(seconds: isQuick ? 1 : 3, runs: isQuick ? 1 : 5)
        var results: [Measurement] = []
        for (count, ahead) in [(10, 10.0), (1000, 40.0)] {
            results += try requests(active: count, ahead: ahead, load)
        }
        return results
            + (try eventStreams(clients: isQuick ? 200 : 2000, seconds: isQuick ? 2 : 10, runs: isQuick ? 1 : 5))
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
    let bare = count == 10 ? BareServer(bytes: size) : nil
    defer { bare?.stop() }
    let urls = [ours.url + summary, bare?.url].compactMap(\.self)
    guard let rates = try load.requestsPerSecond(urls) else { return [] }

    func measurement(beside peer: String, _ value: Double?, atLeast ratio: Double) -> Measurement {
        Measurement(
            "summary of \(count) active over HTTP, beside \(peer)",
            rates[0],
            unit: "requests/s",
            peer: .init(name: peer, value: value),
            budget: Budget(ratioAtLeast: ratio)
        )
    }
    let original = try ServerProcess.original(active: count)
    defer { original?.stop() }
    let originalRate = try original.flatMap { try load.requestsPerSecond([$0.url + summary])?[0].median }
    var results = [measurement(beside: "FastAPI on uvicorn", originalRate, atLeast: ahead)]
    if bare != nil {
        results.append(measurement(beside: "libmicrohttpd alone, as many bytes", rates[1].median, atLeast: 0.45))
    }
    return results
}

/// libmicrohttpd with as many threads as ours has, for an answer of the same size that it needn't make.
private struct BareServer {
    private let server: OpaquePointer

    init?(bytes: Int) {
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: bytes)
        let threads = OperationServer.Configuration().threads
        guard let server = bare_http_start(body, body.count, UInt32(threads)) else { return nil }
        self.server = server
    }

    var url: String { "http://127.0.0.1:\(bare_http_port(server))/" }

    func stop() { bare_http_stop(server) }
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

    /// How many requests each of some servers answers, which are asked in turn, so that what disturbs the machine disturbs all.
    ///
    /// - Returns: `nil` when wrk isn't here.
    func requestsPerSecond(_ urls: [String]) throws -> [Timing]? {
        guard let path = wrk.path else { return nil }
        var rates = urls.map { _ in [Double]() }
        for _ in 0..<runs {
            for (index, url) in urls.enumerated() { rates[index].append(try rate(path, url)) }
        }
        return rates.map { Timing(runs: $0) }
    }

    private func rate(_ path: String, _ url: String) throws -> Double {
        let soon = try rate(path, url, seconds: seconds)
        // On a busy machine no answer of a slow server may have come so soon.
        return soon > 0 ? soon : try rate(path, url, seconds: 10 * seconds)
    }

    private func rate(_ path: String, _ url: String, seconds: Int) throws -> Double {
        let output = String(
            decoding: try run(path, ["-t1", "-c16", "-d\(seconds)s", "--timeout", "30s", url]),
            as: UTF8.self
        )
        let lines = output.split(separator: "\n")
        guard !lines.contains(where: { $0.contains("Non-2xx") || $0.contains("Socket errors") }),
            let figure = lines.first(where: { $0.hasPrefix("Requests/sec:") })?.split(separator: " ").last,
            let value = Double(figure), value > 0 || seconds == self.seconds
        else { throw ServerProcess.NoAnswer(what: "What wrk asked of \(url)", answer: output) }
        return value
    }
}
