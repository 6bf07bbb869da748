#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// One try of a download. It has a queue of its own, since reading and writing files blocks.
actor Download {
    private let request: DownloadProvider.Request
    private let provider: DownloadProvider
    private let handle: OperationHandle
    private let executor = QueueExecutor(label: "download")

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ request: DownloadProvider.Request, by provider: DownloadProvider, reporting handle: OperationHandle) {
        self.request = request
        self.provider = provider
        self.handle = handle
    }

    func run() async throws -> DownloadProvider.Output {
        try provider.validate(request)
        let sha256 = request.sha256?.lowercased()
        let limiter = try handle.limiter(beginningWith: request.limit)
        let target = try provider.target(of: request)
        if !provider.allowsAnyTarget {
            try? FileManager.default.createDirectory(atPath: provider.directory, withIntermediateDirectories: true)
        }
        let part = try PartFile(target)
        let replaces = request.overwrite == true
        if part.targetExists, !replaces {
            if let sha256, let output = try await finished(part, sha256) { return output }
            throw OperationFailure.exists(target)
        }
        if part.targetIsFolder { throw OperationFailure.isFolder(target) }
        try await fetch(into: part, limiter)
        if let sha256 { try await verify(part, sha256) }
        handle.setPhase("saving")
        try part.moveToTarget(replacing: replaces)
        return DownloadProvider.Output(path: target.path, bytes: part.size, sha256: sha256)
    }
}

// MARK: - Transfer

extension Download {
    /// Gets what is missing, in as many answers as the server needs.
    private func fetch(into part: PartFile, _ limiter: BandwidthLimiter) async throws {
        var mayGoOn = true
        while true {
            try await handle.checkpoint()
            let note = mayGoOn ? part.note(for: request.url) : nil
            let offset = note == nil ? 0 : part.size
            if offset > 0, offset == note?.total {
                if offset == request.size ?? offset { return try report(part, total: offset) }
                // What is there is whole and not what is wanted: the server may have another file by now.
                mayGoOn = false
                continue
            }
            handle.setPhase("connecting")
            let response = try await provider.transport.send(httpRequest(from: offset, note, limiter))
            let answer = DownloadAnswer(
                status: response.status,
                headers: response.headers,
                offset: offset,
                note: note,
                at: handle.clock.wallMilliseconds
            )
            switch answer {
            case .whole(let total):
                try requireExpected(total)
                try part.begin(PartNote(url: request.url, headers: response.headers, total: total))
                try await receive(response.body, into: part, end: total, total: total)
                return
            case .rest(let end, let total):
                try requireExpected(total)
                try await receive(response.body, into: part, end: end, total: total)
                if end == total { return }
            case .complete:
                try requireExpected(offset)
                return try report(part, total: offset)
            case .beginAgain:
                mayGoOn = false
            case .refused(let failure):
                throw failure
            }
        }
    }

    private func httpRequest(from offset: Int64, _ note: PartNote?, _ limiter: BandwidthLimiter) -> HTTPRequest {
        // Ranges and lengths are those of the file itself, not of a compressed form of it.
        var headers: HTTPHeaders = ["Accept-Encoding": "identity"]
        if offset > 0, let validator = note?.validator {
            headers["Range"] = "bytes=\(offset)-"
            headers["If-Range"] = validator
        }
        return HTTPRequest(
            url: request.url,
            headers: headers,
            timeouts: HTTPTimeouts(lowSpeed: provider.stallLimit),
            maximumRedirects: provider.maximumRedirects,
            limiter: limiter
        )
    }

    /// - Throws: `integrity_error` before anything is transferred, when the server's file can't be the one that is wanted.
    private func requireExpected(_ total: Int64?) throws {
        if let size = request.size, let total, total != size { throw OperationFailure.wrongSize(total, expected: size) }
    }

    /// - Parameter end: how large the part is after this body; `nil` when that isn't known.
    private func receive(_ body: HTTPBody, into part: PartFile, end: Int64?, total: Int64?) async throws {
        let end = end ?? request.size
        try report(part, total: total ?? request.size)
        if let end { try part.requireRoom(for: end - part.size) }
        handle.setPhase("downloading")
        for try await chunk in body {
            try await handle.checkpoint()
            if let end, part.size + Int64(chunk.count) > end {
                part.discard()
                throw OperationFailure.tooLong(expected: end)
            }
            try part.append(chunk)
            handle.update(completed: part.size)
        }
        if let end, part.size < end { throw OperationFailure.tooShort(part.size, expected: end) }
        if total == nil { handle.setTotal(part.size) }
    }

    /// Says where it stands. What was there before this operation began counts as present, and not what it fetched itself.
    private func report(_ part: PartFile, total: Int64?) throws {
        handle.setTotal(total)
        if handle.operation.progress.completedUnits == 0 || part.size == 0 { handle.setPresent(part.size) }
        handle.update(completed: part.size)
    }
}

// MARK: - Checksum

extension Download {
    private static let blockSize = 1 << 20

    private func verify(_ part: PartFile, _ expected: String) async throws {
        handle.setPhase("verifying")
        let found = try await digest(part.size, part.read)
        guard found == expected else {
            part.discard()
            throw OperationFailure.wrongChecksum(found, expected: expected)
        }
    }

    /// What a download comes to whose file is there already, with the checksum asked for: an earlier one may have been killed right
    /// before it could say that it was done.
    private func finished(_ part: PartFile, _ expected: String) async throws -> DownloadProvider.Output? {
        guard let file = part.openTarget(), request.size ?? file.size == file.size else { return nil }
        handle.setPhase("verifying")
        guard try await digest(file.size, file.read) == expected else { return nil }
        handle.setTotal(file.size)
        handle.setPresent(file.size)
        handle.update(completed: file.size)
        return DownloadProvider.Output(path: part.target.path, bytes: file.size, sha256: expected)
    }

    private func digest(
        _ size: Int64,
        _ read: (UnsafeMutableRawBufferPointer, Int64) throws -> Int
    ) async throws -> String {
        #if canImport(CryptoKit)
        var checksum = Checksum()
        #else
        let checksum = Checksum()
        #endif
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockSize, alignment: 4096)
        defer { block.deallocate() }
        var offset: Int64 = 0
        var told: Int64 = 0
        while case let count = try read(block, offset), count > 0 {
            checksum.add(UnsafeRawBufferPointer(rebasing: block[..<count]))
            offset += Int64(count)
            // Progress is at its end already; how far the check is, is told in words, twenty times.
            let twentieth = size > 0 ? offset * 20 / size : 20
            if twentieth > told {
                told = twentieth
                handle.setMessage("\(twentieth * 5) % checked")
            }
            try await handle.checkpoint()
        }
        return checksum.hexadecimal()
    }
}
