/// A value that few owners need: it takes memory of its own once it is written, and until then the room of a pointer.
struct LazyBox<Value: Sendable>: Sendable {
    // An array of at most one is copied when it is shared and written, as a value is.
    private var storage: [Value] = []

    var isEmpty: Bool { storage.isEmpty }

    /// A part of the value; `absent` where there is none.
    @inline(__always)
    func read<Part>(or absent: Part, _ part: (borrowing Value) -> Part) -> Part {
        storage.isEmpty ? absent : part(storage[0])
    }

    /// Writes to the value, which begins as `first`.
    ///
    /// - Parameter isNothing: whether what is written is what an absent value stands for, so that there need be none.
    @inline(__always)
    mutating func write(_ first: @autoclosure () -> Value, unless isNothing: Bool, _ change: (inout Value) -> Void) {
        if storage.isEmpty {
            if isNothing { return }
            storage = [first()]
        }
        change(&storage[0])
    }

    mutating func empty() { storage = [] }
}
