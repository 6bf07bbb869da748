import CProcess
import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The end of a pipe from which a child's output is read without waiting.
struct OutputPipe {
    private static let chunkSize = 64 * 1024
    /// How much is read before others have their turn, so that a flood of output delays no signal.
    private static let chunksAtOnce = 16

    /// -1 when nobody has the other end any more: poll(2) ignores it.
    private(set) var descriptor: Int32

    /// A pipe that has ended.
    static let none = OutputPipe(descriptor: -1)

    /// Makes a pipe whose reading end doesn't wait. Neither end is passed on to a child.
    ///
    /// - Throws: `OperationFailure` when the system has no descriptor left.
    static func make() throws(OperationFailure) -> (reading: OutputPipe, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard cprocess_pipe(&ends) == 0 else {
            throw OperationFailure(
                .providerError,
                "No pipe for the command's output: \(String(cString: strerror(errno))). Raise the limit of open files, or run less at once."
            )
        }
        _ = cprocess_set_nonblocking(ends[0])
        return (OutputPipe(descriptor: ends[0]), ends[1])
    }

    /// Hands over what is there.
    mutating func read(into body: (UnsafeRawBufferPointer) -> Void) {
        guard descriptor >= 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: Self.chunkSize, alignment: 1) { buffer in
            for _ in 0..<Self.chunksAtOnce {
                let count = systemRead(descriptor, buffer)
                if count > 0 {
                    body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    continue
                }
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN { return }
                close()
                return
            }
        }
    }

    mutating func close() {
        systemClose(descriptor)
        descriptor = -1
    }
}

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}

private func systemClose(_ descriptor: Int32) {
    if descriptor >= 0 { close(descriptor) }
}
