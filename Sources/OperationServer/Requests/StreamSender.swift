import CMicroHTTPD
import OperationHTTP

/// Hands a stream's pieces to libmicrohttpd as there is room for them in the connection, and parks it while there are none. It
/// belongs to its connection's thread.
///
/// A client that doesn't read costs the piece that it is at, which it shares with others: nothing more is asked for.
final class StreamSender {
    private let stream: APIStream
    private let connection: ConnectionHandle
    private let client: ClientConnection?
    private let parking: Parking
    private let lot: ParkingLot
    private var piece: [UInt8] = []
    private var sent = 0

    init(
        _ stream: APIStream,
        on connection: ConnectionHandle,
        of client: ClientConnection?,
        _ parking: Parking,
        in lot: ParkingLot
    ) {
        self.stream = stream
        self.client = client
        self.connection = connection
        self.parking = parking
        self.lot = lot
    }

    /// A comment, which readers of Server-Sent Events leave alone.
    private static let trial = Array(": still there?\n\n".utf8)

    deinit { stream.cancel() }

    /// - Returns: how many bytes were put into `buffer`; 0 when the connection is parked; or libmicrohttpd's sign of the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while sent == piece.count {
            piece = []
            sent = 0
            switch client?.takeSign() {
            case .isGone: return cmhd_end_with_error()
            case .isToBeTried:
                piece = Self.trial
                continue
            case .some(.none), nil: break
            }
            switch stream.next(orNotify: { [parking] in parking.wake() }) {
            case .piece(let bytes): piece = bytes
            case .end: return cmhd_end_of_stream()
            case .waiting:
                switch lot.park(parking, connection, ifOpenFor: .everyone) {
                case .parked: return 0
                case .rung: continue
                case .closed: return cmhd_end_of_stream()
                }
            }
        }
        let count = min(buffer.count, piece.count - sent)
        buffer.copyBytes(from: piece[sent..<(sent + count)])
        sent += count
        return count
    }
}
