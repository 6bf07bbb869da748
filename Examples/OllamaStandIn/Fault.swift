/// Something that goes wrong in a pull.
public struct Fault: Sendable {
    /// What goes wrong.
    ///
    /// `afterBytes` counts what the request itself has downloaded, over all its layers; bytes kept from an earlier
    /// request do not count. So `cut(afterBytes: 30_000_000)` cuts each request after 30 MB of progress. A fault
    /// beyond what there is to download has no effect.
    public enum Kind: Sendable {
        /// A last line `{"error": message}`, then the orderly end.
        case error(afterBytes: Int, message: String)
        /// The connection is closed without a last line or a final chunk, like that of a killed server.
        case cut(afterBytes: Int)
        /// `completed` of the layer being pulled falls to `to`, as when a chunk's connection is reset; then the
        /// download goes on from there.
        case completedFalls(afterBytes: Int, to: Int)
        /// Nothing moves for a time; lines go on.
        case stall(afterBytes: Int, for: Duration)
        /// Nothing moves any more; lines go on for ever.
        case hang(afterBytes: Int)
        /// The first layer proves damaged when it is verified: an error line, and the layer has to be pulled again.
        case digestMismatch
        /// In place of the whole answer: this status with a JSON body.
        case status(Int, body: String)
        /// In place of the whole answer: 200 with this body as it is, then an orderly end.
        case raw([UInt8])
        /// In place of the whole answer: 200 with this body as it is, then the connection is closed without an end.
        case rawThenCut([UInt8])
    }

    let kind: Kind
    private let times: Int?

    /// A fault of the first `times` requests for its model, or of all of them.
    ///
    /// `[Fault(.status(503, body: "{}"), times: 2)]` says: twice 503, then good.
    public init(_ kind: Kind, times: Int? = nil) {
        self.kind = kind
        self.times = times
    }

    /// Whether this fault belongs to the request with this number, counted from 0.
    func applies(toRequest number: Int) -> Bool {
        times.map { number < $0 } ?? true
    }
}

extension Fault.Kind {
    /// The bytes after which this happens, for the kinds that interrupt a download.
    var afterBytes: Int? {
        switch self {
        case .error(let bytes, _), .cut(let bytes), .completedFalls(let bytes, _), .stall(let bytes, _),
            .hang(let bytes):
            bytes
        case .digestMismatch, .status, .raw, .rawThenCut:
            nil
        }
    }
}
