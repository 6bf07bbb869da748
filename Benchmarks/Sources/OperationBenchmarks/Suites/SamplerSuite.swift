import Foundation

extension Suite {
    /// What measuring processes costs, beside psutil on the same processes.
    static let sampler = Suite(name: "sampler") { isQuick in
        let count = isQuick ? 20 : 300
        let tree = try ProcessTree(count)
        defer { tree.end() }
        let repetitions = isQuick ? 5 : 50
        guard let whole = try Probe.time([tree.root], repetitions: repetitions) else { return [] }
        let single = try Probe.time(Array(tree.children.prefix(100)), repetitions: repetitions)
        let peers = Peers.measure("sampler", [String(tree.root), String(repetitions)])
        var results = [
            Measurement(
                "sampling a tree of \(count) processes",
                whole,
                peer: .init(name: "psutil", value: peers["psutil_tree"]),
                budget: Budget(ratioAtMost: 1 / 8.0)
            )
        ]
        if let single {
            // One sample each two seconds, as a share of a core.
            let share = Timing(runs: single.all.map { $0 / 2e9 * 100 })
            var load = Measurement(
                "sampling \(min(count, 100)) tracked processes each 2 s",
                share,
                budget: Budget(valueAtMost: 0.2)
            )
            load.unit = "% of a core"
            results.append(load)
        }
        return results
    }
}

/// Many processes that do nothing, under one.
private struct ProcessTree {
    let root: Int32
    let children: [Int32]
    private let process = Process()

    init(_ count: Int) throws {
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "for i in $(seq \(count - 1)); do sleep 600 & done; echo ready; wait"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        root = process.processIdentifier
        // The children are there once the shell says so.
        _ = pipe.fileHandleForReading.availableData
        let list = (try? String(contentsOfFile: "/proc/\(root)/task/\(root)/children", encoding: .utf8)) ?? ""
        children = list.split(separator: " ").compactMap { Int32($0) }
    }

    func end() {
        for child in children { kill(child, SIGKILL) }
        process.terminate()
        process.waitUntilExit()
    }
}

/// The sampler is inside the library, so a program of the library's own times it.
private enum Probe {
    private static let path =
        URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../../../.build/release/resource-probe"
        )
        .standardized.path

    /// In nanoseconds for each sample of all `processes` together; `nil` when the program isn't built.
    static func time(_ processes: [Int32], repetitions: Int) throws -> Timing? {
        guard FileManager.default.isExecutableFile(atPath: path) else {
            FileHandle.standardError.write(
                Data("LEFT OUT: the sampler: build it with `swift build -c release --product resource-probe`.\n".utf8)
            )
            return nil
        }
        let output = try run(path, ["--time", String(repetitions)] + processes.map(String.init))
        return Timing(runs: try JSONDecoder().decode([Double].self, from: output))
    }
}
