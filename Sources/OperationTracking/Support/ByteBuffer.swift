/// Bytes that grow at their end.
///
/// An array checks with every byte that nobody shares it and that there is room; here the room for a whole word or number is
/// made at once.
struct ByteBuffer: ~Copyable {
    private var start: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        start = .allocate(capacity: self.capacity)
    }

    deinit { start.deallocate() }

    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }

    /// Lets `body` write up to `most` bytes and say how many it wrote.
    @inline(__always)
    mutating func write(atMost most: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int) {
        if count + most > capacity { grow(by: most) }
        let written = body(start + count)
        assert(written <= most)
        count += written
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        write(atMost: 1) { end in
            end.pointee = byte
            return 1
        }
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        write(atMost: bytes.count) { end in
            end.update(from: source, count: bytes.count)
            return bytes.count
        }
    }

    @inline(never)
    private mutating func grow(by most: Int) {
        capacity = max(capacity * 2, count + most)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: start, count: count)
        start.deallocate()
        start = larger
    }
}
