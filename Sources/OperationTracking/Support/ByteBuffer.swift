/// Bytes that grow at their end.
///
/// An array checks with every byte that nobody shares it and that there is room; here the room for a whole word or number is
/// made at once.
struct ByteBuffer: ~Copyable {
    private var start: UnsafeMutablePointer<UInt8>
    var count = 0
    private var capacity: Int
    /// Whether the bytes are in memory of this buffer's own.
    private(set) var isOwner: Bool

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        isOwner = true
        start = .allocate(capacity: self.capacity)
    }

    /// Uses memory of the caller's, which outlives the buffer, as long as there is room in it.
    init(in room: UnsafeMutableBufferPointer<UInt8>) {
        capacity = room.count
        isOwner = room.baseAddress == nil
        start = room.baseAddress ?? .allocate(capacity: 0)
    }

    deinit { if isOwner { start.deallocate() } }

    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }

    /// Makes room for so many bytes.
    ///
    /// - Returns: where they begin. Whoever writes there says by ``count`` how many they are.
    @inline(__always)
    mutating func room(for most: Int) -> UnsafeMutablePointer<UInt8> {
        if count + most > capacity { grow(by: most) }
        return start + count
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        room(for: 1).pointee = byte
        count += 1
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        room(for: bytes.count).update(from: source, count: bytes.count)
        count += bytes.count
    }

    /// Appends again what is there already.
    ///
    /// - Returns: where the repetition begins.
    @inline(__always)
    mutating func repeatBytes(from offset: Int, count length: Int) -> UnsafeMutablePointer<UInt8> {
        assert(offset >= 0 && offset + length <= count)
        let end = room(for: length)
        end.update(from: start + offset, count: length)
        count += length
        return end
    }

    @inline(never)
    private mutating func grow(by most: Int) {
        capacity = max(capacity * 2, count + most)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: start, count: count)
        if isOwner { start.deallocate() }
        start = larger
        isOwner = true
    }
}
