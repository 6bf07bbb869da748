import Foundation
import Testing

@testable import OllamaOperations

/// What the recordings don't show: other versions' lines, and lines that make no sense.
struct PullProgressTests {
    private static let digest = "sha256:" + String(repeating: "a", count: 64)
    private static let other = "sha256:" + String(repeating: "b", count: 64)

    private func progress(after lines: [String]) -> PullProgress {
        var progress = PullProgress()
        for line in lines { _ = progress.take(Array(line.utf8)) }
        return progress
    }

    private func layer(_ digest: String, total: String? = nil, completed: String? = nil, status: String? = "pulling x")
        -> String
    {
        var fields = status.map { ["\"status\":\"\($0)\""] } ?? []
        fields.append("\"digest\":\"\(digest)\"")
        if let total { fields.append("\"total\":\(total)") }
        if let completed { fields.append("\"completed\":\(completed)") }
        return "{\(fields.joined(separator: ","))}"
    }

    @Test func theTotalGrowsWithEachLayer() {
        let progress = progress(after: [
            layer(Self.digest, total: "100", completed: "40"), layer(Self.other, total: "50", completed: "10"),
        ])
        #expect(progress.total == 150)
        #expect(progress.completed == 110, "the first layer is whole, since the next has begun")
    }

    @Test func anAggregateOfTensorsIsALayerLikeAnother() {
        let progress = progress(after: [
            layer("sha256:model", total: "1000", completed: "10", status: "pulling model"),
            layer("sha256:model", total: "1000", completed: "900", status: "pulling model"),
        ])
        #expect(progress.total == 1000)
        #expect(progress.completed == 900)
    }

    @Test func layersThatMixAreNotTakenBackwards() {
        var progress = PullProgress()
        var last: Int64 = 0
        for step in 1...9 {
            for digest in [Self.digest, Self.other] {
                _ = progress.take(Array(layer(digest, total: "100", completed: "\(step * 10)").utf8))
                #expect(progress.completed >= last)
                last = progress.completed
            }
        }
        #expect(progress.completed == 180)
        #expect(progress.total == 200)
    }

    @Test func aLayerWithoutStatusIsALayer() {
        let progress = progress(after: [layer(Self.digest, total: "100", completed: "40", status: nil)])
        #expect(progress.completed == 40)
        #expect(progress.phase == .downloading)
    }

    @Test func anErrorInTheStatusIsAnError() {
        var progress = PullProgress()
        #expect(progress.take(Array(#"{"status":"error: no such model"}"#.utf8)) == .failed("no such model"))
    }

    @Test func aHarmlessWordIsHarmless() {
        var progress = PullProgress()
        #expect(progress.take(Array(#"{"status":"couldn't remove unused layers: busy"}"#.utf8)) == .nothing)
        #expect(progress.warnings == 0)
    }

    @Test(arguments: ["[]", "7", "\"success\"", "null", "{", "{\"status\":}", "\u{FEFF}", "not json"])
    func whatIsNoObjectIsAWarning(_ line: String) {
        var progress = PullProgress()
        #expect(progress.take(Array(line.utf8)) == .nothing)
        #expect(progress.warnings == 1)
    }

    @Test func invalidUTF8IsAWarning() {
        var progress = PullProgress()
        #expect(progress.take(Array(#"{"status":""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8)) == .nothing)
        #expect(progress.warnings == 1)
    }

    @Test(arguments: [
        "-1", "9223372036854775808", "1e300", "-9223372036854775808", "\"12\"", "true", "1125899906842625",
    ])
    func anAbsurdTotalIsUnknown(_ total: String) {
        let progress = progress(after: [layer(Self.digest, total: total, completed: "5")])
        #expect(progress.total == nil)
        #expect(progress.completed == 5)
        #expect(progress.warnings == 1)
    }

    @Test func anAbsurdAmountLeavesWhatWasKnown() {
        let progress = progress(after: [
            layer(Self.digest, total: "100", completed: "80"), layer(Self.digest, total: "100", completed: "-1"),
        ])
        #expect(progress.completed == 80)
        #expect(progress.warnings == 1)
    }

    @Test func moreDoneThanThereIsIsTheWhole() {
        let progress = progress(after: [layer(Self.digest, total: "100", completed: "101")])
        #expect(progress.completed == 100)
        #expect(progress.warnings == 1)
    }

    @Test func nullIsTheSameAsAbsent() {
        let progress = progress(after: [
            #"{"status":"pulling x","digest":"\#(Self.digest)","total":null,"completed":null,"error":null}"#
        ])
        #expect(progress.total == nil)
        #expect(progress.warnings == 0)
    }

    @Test func aLineThatSaysTheSameAgainIsNoMovement() {
        var progress = PullProgress()
        let line = Array(layer(Self.digest, total: "100", completed: "40").utf8)
        #expect(progress.take(line) == .moved)
        #expect(progress.take(line) == .nothing)
    }

    @Test func layersWithoutEndDoNotFillTheMemory() {
        var progress = PullProgress()
        for number in 0..<5000 { _ = progress.take(Array(layer("sha256:\(number)", total: "1").utf8)) }
        #expect(progress.layers.count == 4096)
        #expect(progress.warnings == 5000 - 4096)
    }

    @Test func theNextTryNeitherStepsBackNorCountsTwice() throws {
        let first = progress(after: [
            layer(Self.digest, total: "100", completed: "90"), layer(Self.other, total: "50", completed: "20"),
        ])
        let kept = try JSONDecoder().decode([String: PullProgress.Layer].self, from: JSONEncoder().encode(first.layers))
        var second = PullProgress(resuming: kept)
        #expect(second.completed == first.completed)
        _ = second.take(Array(layer(Self.digest, total: "100", completed: "100").utf8))
        #expect(second.completed == 120)
        _ = second.take(Array(layer(Self.other, total: "50", completed: "20").utf8))
        #expect(second.completed == 120)
        #expect(second.total == 150)
    }
}
