import CBareCurl
import CBareHTTP
import Foundation
import OperationTracking
import OperationTransfer

extension Suite {
    /// What a download costs beside libcurl with nothing round it.
    static let transfer = Suite(name: "transfer") { isQuick in
        let size = (isQuick ? 64 : 1024) << 20
        let folder = try Folder()
        let inMemory = try Folder.inMemory(room: 2 * size)
        defer {
            folder.remove()
            inMemory?.remove()
        }
        let server = try FileServer(folder.path("source"), bytes: size)
        defer { server.stop() }
        // Where the disk doesn't decide, and where it does.
        var results: [Measurement] = []
        if let inMemory {
            results.append(try await downloadRate(server, inMemory, "into memory", runs: isQuick ? 1 : 5))
        }
        if folder.isOnADisk("a download onto the disk") {
            results.append(try await downloadRate(server, folder, "onto the disk", runs: isQuick ? 1 : 5))
        }
        return results + [try await extraMemory(server, folder, runs: isQuick ? 1 : 5)].compactMap(\.self)
    }
}

/// Both write the file and have it put on the disk before they are done.
private func downloadRate(_ server: FileServer, _ folder: Folder, _ place: String, runs: Int) async throws
    -> Measurement
{
    var rates: (ours: [Double], bare: [Double]) = ([], [])
    let amount = Double(server.bytes) / Double(1 << 20)
    let bare = {
        let path = folder.path("bare")
        sync()
        let seconds = bare_curl_download(server.url, path)
        guard seconds > 0, try size(of: path) == server.bytes else { throw DownloadFailure() }
        try FileManager.default.removeItem(atPath: path)
        rates.bare.append(amount / seconds)
    }
    for run in 0..<runs {
        // What the one leaves to the disk would slow the other.
        if run % 2 == 1 { try bare() }
        sync()
        rates.ours.append(amount / (try await download(server, folder)))
        if run % 2 == 0 { try bare() }
    }
    return Measurement(
        "download of \(server.bytes >> 20) MiB from loopback \(place)",
        Timing(runs: rates.ours),
        unit: "MiB/s",
        peer: .init(name: "libcurl alone, the same file", value: Timing(runs: rates.bare).median),
        budget: Budget(ratioAtLeast: 0.8)
    )
}

/// How much more memory the process needs at most while it downloads the file than while it downloads 20 MiB of it.
private func extraMemory(_ server: FileServer, _ folder: Folder, runs: Int) async throws -> Measurement? {
    let small = try FileServer(folder.path("small"), bytes: 20 << 20)
    defer { small.stop() }
    var extra: [Double] = []
    for _ in 0..<runs {
        guard let less = try await peakMemory({ try await download(small, folder) }),
            let more = try await peakMemory({ try await download(server, folder) })
        else {
            leaveOut("the memory of a download: this system doesn't tell it.")
            return nil
        }
        extra.append(max(0, Double(more - less) / Double(1 << 20)))
    }
    return Measurement(
        "memory of that download above one of 20 MiB",
        Timing(runs: extra),
        unit: "MiB",
        budget: Budget(valueAtMost: 20)
    )
}

private func peakMemory(_ body: () async throws -> Double) async throws -> Int? {
    // Makes Linux begin anew to look for the peak.
    guard (try? Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))) != nil else { return nil }
    _ = try await body()
    return residentMemory(ofProcess: "self", "VmHWM")
}

/// Downloads as a service does: an operation that is tracked, by a runner.
///
/// - Returns: the seconds that took.
private func download(_ server: FileServer, _ folder: Folder) async throws -> Double {
    let tracker = OperationTracker()
    let runner = OperationRunner(tracker: tracker)
    let transport = CurlTransport()
    let provider = DownloadProvider(transport: transport, directory: folder.path("ours"))
    let start = Timing.now
    let submitted = try await runner.submit(DownloadProvider.Request(url: server.url, target: "file"), to: provider)
    let output = try await submitted.output
    let seconds = Double(Timing.now - start) / 1e9
    guard try size(of: output.path) == server.bytes else { throw DownloadFailure() }
    try FileManager.default.removeItem(atPath: output.path)
    await runner.shutDown(within: .zero)
    await tracker.close()
    transport.shutdown()
    return seconds
}

private func size(of path: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? -1
}

private struct DownloadFailure: Error, CustomStringConvertible {
    let description = "A download from this machine did not give the file."
}

/// libmicrohttpd with a file of nothing but zeros, which needs no room on the disk.
private struct FileServer {
    let url: String
    let bytes: Int
    private let server: OpaquePointer
    private let file: Int32

    init(_ path: String, bytes: Int) throws {
        file = open(path, O_RDWR | O_CREAT, 0o600)
        guard file >= 0, ftruncate(file, bytes) == 0, let server = bare_http_start_file(file, bytes) else {
            throw DownloadFailure()
        }
        self.server = server
        self.bytes = bytes
        url = "http://127.0.0.1:\(bare_http_port(server))/file"
    }

    func stop() {
        bare_http_stop(server)
        close(file)
    }
}
