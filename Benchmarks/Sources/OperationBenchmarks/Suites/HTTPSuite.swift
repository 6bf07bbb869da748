import CBareHTTP
import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif
import OperationHTTP
import OperationServer
import OperationTracking

extension Suite {
    /// How many requests for the summary are answered in a second, beside the original's stack and beside libmicrohttpd alone.
    static let http = Suite(name: "http") { isQuick in
        guard Load.isHere else { return [] }
        let seconds = isQuick ? 1 : 5
        var results: [Measurement] = []
        for (count, ahead) in [(10, 10.0), (1000, 40.0)] {
            results += try await requests(active: count, ahead: ahead, seconds: seconds, runs: isQuick ? 1 : 3)
        }
        return results
    }
}

private func requests(active count: Int, ahead: Double, seconds: Int, runs: Int) async throws -> [Measurement] {
    let tracker = OperationTracker()
    let api = OperationAPI(tracker: tracker)
    let server = try OperationServer(api)
    for number in 0..<count {
        let handle = try tracker.start(type: .download, description: "bench \(number)", total: 1 << 30)
        handle.update(completed: 1 << 20)
    }
    let path = "/api/ports/operations/summary"
    let ours = Timing(runs: try (0..<runs).map { _ in try Load.requestsPerSecond(server.url + path, seconds: seconds) })
    let size = try await URLSession.shared.data(from: URL(string: server.url + path)!).0.count
    await tracker.close()
    await server.stop()

    func measurement(_ name: String, _ peer: String, _ value: Double?, _ budget: Double) -> Measurement {
        var result = Measurement(
            name,
            ours,
            peer: .init(name: peer, value: value),
            budget: Budget(ratioAtLeast: budget)
        )
        result.unit = "requests/s"
        return result
    }
    var results = [
        measurement(
            "summary of \(count) active",
            "FastAPI on uvicorn",
            try original(active: count, path, seconds),
            ahead
        )
    ]
    if count == 10 {
        let bare = try bareServer(bytes: size, seconds)
        results.append(
            measurement(
                "summary of \(count) active, beside the bare server",
                "libmicrohttpd alone, \(size) bytes",
                bare,
                0.45
            )
        )
    }
    return results
}

private func bareServer(bytes: Int, _ seconds: Int) throws -> Double? {
    let body = [UInt8](repeating: UInt8(ascii: "x"), count: bytes)
    let threads = OperationServer.Configuration().threads
    guard let server = bare_http_start(body, body.count, UInt32(threads)) else { return nil }
    defer { bare_http_stop(server) }
    return try Load.requestsPerSecond("http://127.0.0.1:\(bare_http_port(server))/", seconds: seconds)
}

private func original(active count: Int, _ path: String, _ seconds: Int) throws -> Double? {
    guard FileManager.default.isExecutableFile(atPath: Peers.python) else {
        Peers.complain("the peers are not here. Benchmarks/Peers/install gets them.")
        return nil
    }
    let process = Process()
    process.executableURL = URL(filePath: Peers.python)
    process.arguments = ["\(Peers.directory)/service.py", String(count)]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    defer {
        process.terminate()
        process.waitUntilExit()
    }
    let line = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
    let url = line.split(separator: " ").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
    // It listens before it answers; the first request waits for that.
    return try Load.requestsPerSecond(url + path, seconds: seconds)
}

/// `wrk`, a program that asks as fast as it can over a few connections.
private enum Load {
    private static let path = ["/usr/bin/wrk", "/usr/local/bin/wrk", "/opt/homebrew/bin/wrk"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    static var isHere: Bool {
        if path != nil { return true }
        FileHandle.standardError.write(
            Data("LEFT OUT: the HTTP server: wrk is not here (Debian and Homebrew: wrk).\n".utf8)
        )
        return false
    }

    static func requestsPerSecond(_ url: String, seconds: Int) throws -> Double {
        let output = try run(path ?? "", ["-t1", "-c16", "-d\(seconds)s", url])
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n")
        guard !lines.contains(where: { $0.contains("Non-2xx") }),
            let figure = lines.first(where: { $0.hasPrefix("Requests/sec:") })?.split(separator: " ").last,
            let value = Double(figure)
        else { throw LoadFailure(output: String(decoding: output, as: UTF8.self)) }
        return value
    }

    private struct LoadFailure: Error {
        let output: String
    }
}
