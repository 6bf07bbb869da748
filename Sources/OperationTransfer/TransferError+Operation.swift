public import OperationTracking

extension TransferError: OperationFailureConvertible {
    /// The failure that an operation whose transfer ended so is recorded with.
    public var operationFailure: OperationFailure {
        OperationFailure(operationCode, message)
    }

    private var operationCode: OperationFailure.Code {
        switch code {
        case .invalidURL, .invalidRequest, .unsupportedScheme: .invalidRequest
        case .timeoutConnect, .timeoutTotal: .timeout
        case .timeoutStalled: .stalled
        case .connectionFailed: .connectionRefused
        case .lineTooLong, .bodyTooLarge, .tooManyRedirects: .protocolError
        default: OperationFailure.Code(rawValue: code.rawValue)
        }
    }
}
