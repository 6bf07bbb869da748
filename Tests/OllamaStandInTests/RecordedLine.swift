import Foundation

/// A line with the time at which it came, in seconds since the request; as the recordings have it.
struct TimedLine: Decodable {
    let t: Double
    let line: String
}

/// A recorded stream of Ollama 0.32.15.
enum Recording {
    static func lines(_ name: String) throws -> [TimedLine] {
        let file = Bundle.module.bundleURL.appending(path: "Fixtures/\(name).ndjson")
        let decoder = JSONDecoder()
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
            try decoder.decode(TimedLine.self, from: Data($0.utf8))
        }
    }
}

/// The keys of a pull's line, in any order.
struct LineFields: Decodable {
    let status: String?
    let digest: String?
    let total: Int?
    let completed: Int?
    let error: String?

    init(_ line: String) throws {
        self = try JSONDecoder().decode(LineFields.self, from: Data(line.utf8))
    }
}
