import CLoopbackClients
import Foundation

/// Many clients that watch ten operations with five updates a second each, in several runs, each with a server of its own: what the
/// server's process needs for that.
func eventStreams(clients count: Int, seconds: Int, runs: Int) throws -> [Measurement] {
    var (memory, processor): ([Double], [Double]) = ([], [])
    for _ in 0..<runs {
        guard let run = try watched(by: count, seconds: seconds) else { return [] }
        memory.append(run.kibibytes)
        processor.append(run.share)
    }
    let label = "\(count) clients that watch 10 operations"
    return [
        Measurement(
            "memory for each of \(label)",
            Timing(runs: memory),
            unit: "KiB",
            budget: Budget(valueAtMost: 20)
        ),
        Measurement(
            "the server's part of a core with \(label)",
            Timing(runs: processor.map { $0 * 100 }),
            unit: "% of a core",
            budget: Budget(valueAtMost: 100)
        ),
    ]
}

/// One run.
///
/// - Returns: the memory for each client, and the part of a core; `nil` where that can't be had, which has been said then.
/// - Throws: ``StreamFailure`` when a client was not told of each ending.
private func watched(by count: Int, seconds: Int) throws -> (kibibytes: Double, share: Double)? {
    let folder = try Folder()
    defer { folder.remove() }
    guard let server = try ServerProcess.wizard(data: folder.path("data")) else { return nil }
    defer { server.stop() }
    let operations = try (0..<10).map { number in
        let parameters = "operation_type=download&description=bench%20\(number)&total_size_mb=1024"
        return try id(try server.ask("/api/ports/operations/start?\(parameters)", method: "POST"))
    }
    guard let memoryBefore = server.process.residentBytes, server.process.processorNanoseconds != nil else {
        leaveOut("what clients that watch cost: this system doesn't tell what a process uses.")
        return nil
    }

    let request = "GET /api/ports/operations/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
    guard let clients = stream_clients_connect(server.port, request, count) else {
        throw StreamFailure(description: "\(count) clients could not connect: may so many files be open? (ulimit -n)")
    }
    defer { stream_clients_close(clients) }
    let finished = "event: finished"
    stream_clients_read(clients, finished, 1000)

    let start = (time: Timing.now, processor: server.process.processorNanoseconds ?? 0)
    for round in 1...(seconds * 5) {
        for operation in operations {
            try server.ask("/api/ports/operations/\(operation)/update?downloaded_mb=\(round)", method: "POST")
        }
        let due = start.time + Int64(round) * 200_000_000
        stream_clients_read(clients, finished, Int32(max(1, (due - Timing.now) / 1_000_000)))
    }
    let processor =
        Double((server.process.processorNanoseconds ?? 0) - start.processor) / Double(Timing.now - start.time)
    let memory = Double((server.process.residentBytes ?? 0) - memoryBefore) / Double(count) / 1024

    for operation in operations {
        try server.ask("/api/ports/operations/\(operation)/complete", method: "POST")
    }
    // They come at once; a machine that does much else may take its time.
    for _ in 0..<20 where stream_clients_fewest(clients) < operations.count {
        stream_clients_read(clients, finished, 500)
    }
    guard stream_clients_lost(clients) == 0, stream_clients_fewest(clients) == operations.count,
        stream_clients_most(clients) == operations.count
    else {
        throw StreamFailure(
            description: """
                Of \(operations.count) endings a client was told of \(stream_clients_fewest(clients)) at least and \
                \(stream_clients_most(clients)) at most; \(stream_clients_lost(clients)) were cut off.
                """
        )
    }
    return (memory, processor)
}

/// The id in an answer to `start`.
private func id(_ answer: String) throws -> String {
    struct Started: Decodable { var operation_id: String }
    return try JSONDecoder().decode(Started.self, from: Data(answer.utf8)).operation_id
}

private struct StreamFailure: Error, CustomStringConvertible {
    let description: String
}
