import Foundation
import OperationTracking

/// Writes a list with the CRC-32 of every file in a folder, by which a copy can be checked.
struct ChecksumProvider: OperationProvider {
    struct Request: Codable, Sendable {
        var folder: String
        var list: String
    }

    struct Output: Codable, Sendable {
        var files: Int
        var bytes: Int64
    }

    static let operationType = OperationType("checksum")
    var traits: ProviderTraits { ProviderTraits(pausing: .inPlace, isUnique: true) }
    var unit: OperationUnit { .bytes }

    func description(of request: Request) -> String {
        "Checksums of \(request.folder.prefix(200).debugDescription)"
    }

    func validate(_ request: Request) throws {
        guard !request.folder.isEmpty, !request.list.isEmpty else {
            throw OperationFailure(.invalidRequest, "Name the folder, and the file that its list goes to.")
        }
    }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output {
        guard let paths = try? FileManager.default.subpathsOfDirectory(atPath: request.folder) else {
            throw OperationFailure(.notFound, "The folder can't be read: check its name and permissions.")
        }
        let files = paths.sorted().compactMap { File(folder: request.folder, path: $0) }
        handle.setTotal(files.reduce(0) { $0 + $1.size })
        var lines: [String] = []
        var done: Int64 = 0
        for file in files {
            handle.setMessage(file.path)
            var checksum = CRC32()
            let reader = try FileHandle(forReadingFrom: URL(fileURLWithPath: file.location))
            defer { try? reader.close() }
            while let chunk = try reader.read(upToCount: 65_536), !chunk.isEmpty {
                try await handle.checkpoint()
                checksum.add(chunk)
                done += Int64(chunk.count)
                handle.update(completed: done)
                await Task.yield()
            }
            lines.append("\(checksum.text)  \(file.path)\n")
        }
        handle.setTotal(done)
        guard (try? Data(lines.joined().utf8).write(to: URL(filePath: request.list), options: .atomic)) != nil else {
            throw OperationFailure(.storageError, "The list can't be written: check its folder and permissions.")
        }
        return Output(files: files.count, bytes: done)
    }
}
