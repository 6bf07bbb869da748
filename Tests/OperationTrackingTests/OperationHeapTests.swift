// ThreadSanitizer has an allocator of its own, which glibc doesn't count.
#if canImport(Glibc) && !THREAD_SANITIZER
import Glibc
import OperationTrackingTesting
import Testing

@testable import OperationTracking

/// What an active operation takes from the heap, with its place in the registry. Each is measured in a process of its own, where nothing
/// else asks for memory but the ticker for its samples, which is why they are so many.
struct OperationHeapTests {
    @Test func anOperationThatHasJustBegunTakesLessThanSevenHundredBytes() async {
        await #expect(processExitsWith: .success) {
            let bytes = try await Heap.taken(byEachOf: 20_000, seconds: 0)
            #expect(bytes > 200 && bytes < 700, "\(bytes) bytes")
        }
    }

    @Test func anOperationHalfWayWithAnEstimateTakesLessThanSevenHundredBytes() async {
        await #expect(processExitsWith: .success) {
            let bytes = try await Heap.taken(byEachOf: 20_000, seconds: 5)
            #expect(bytes > 200 && bytes < 700, "\(bytes) bytes")
        }
    }
}

private enum Heap {
    /// What each operation takes, beside its own strings: its description needs no memory, and what its id takes is taken off.
    static func taken(byEachOf count: Int, seconds: Int) async throws -> Double {
        let clock = ManualClock()
        let tracker = OperationTracker(clock: clock)
        var handles: [OperationHandle] = []
        handles.reserveCapacity(count)
        var names: [String] = []
        names.reserveCapacity(count)
        func pass(_ seconds: Int) async {
            for second in 0..<seconds {
                for handle in handles { handle.update(completed: Int64((second + 1) * 100)) }
                await clock.advance(by: .seconds(1))
                _ = tracker.tick()
            }
        }
        // What a tracker makes once, such as buffers to measure with, is made before.
        _ = try tracker.start(type: .download, description: "first", total: 1000)
        await pass(5)
        let before = try used()
        for _ in 0..<count { handles.append(try tracker.start(type: .download, description: "bench", total: 1000)) }
        await pass(seconds)
        let after = try used()
        #expect(handles.allSatisfy { ($0.operation.remaining != nil) == (seconds > 0) })
        let withoutNames = try used()
        for handle in handles { names.append(String(decoding: Array(handle.id.rawValue.utf8), as: UTF8.self)) }
        let strings = try used() - withoutNames
        return Double(after - before - strings) / Double(count)
    }

    /// The bytes that the program has from the heap, as glibc counts them.
    private static func used() throws -> Int {
        // Its header is not among those that Swift imports.
        let symbol = try #require(dlsym(nil, "malloc_info"))
        typealias Information = @convention(c) (Int32, UnsafeMutablePointer<FILE>) -> Int32
        var text: UnsafeMutablePointer<CChar>?
        var length = 0
        let stream = try #require(open_memstream(&text, &length))
        _ = unsafeBitCast(symbol, to: Information.self)(0, stream)
        fclose(stream)
        defer { free(text) }
        // After the last arena come the sums over all.
        let report = String(cString: try #require(text))
        let sums = report[try #require(report.ranges(of: "</heap>").last).upperBound...]
        func size(_ element: String) throws -> Int {
            let rest = sums[try #require(sums.firstRange(of: element)).upperBound...]
            let digits = rest[try #require(rest.firstRange(of: "size=\"")).upperBound...].prefix { $0.isNumber }
            return try #require(Int(digits))
        }
        return try size("<system type=\"current\"") - size("<total type=\"fast\"") - size("<total type=\"rest\"")
            + size("<total type=\"mmap\"")
    }
}
#endif
