import OperationTracking

extension DownloadProvider.Request {
    /// - Throws: `invalid_request` for what could never be downloaded, wherever it goes.
    func validate() throws(OperationFailure) {
        do throws(TransferError) {
            _ = try HTTPRequest(url: url).validated()
        } catch {
            throw error.operationFailure
        }
        guard !URLPart.user.isPresent(in: url), !URLPart.password.isPresent(in: url) else {
            throw OperationFailure(
                .invalidRequest,
                "The URL has a user name or a password in it, which would be kept in the history: leave it out."
            )
        }
        if let size, size < 0 {
            throw OperationFailure(.invalidRequest, "A file's size is at least 0 bytes, not \(size).")
        }
        if let limit, !(1...BandwidthLimiter.largestLimit).contains(limit) {
            throw OperationFailure(.invalidRequest, "A limit is 1 to 2^50 bytes a second, not \(limit).")
        }
        guard let sha256 else { return }
        let digits = sha256.lowercased().utf8
        guard digits.count == 64, digits.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else {
            throw OperationFailure(.invalidRequest, "A SHA-256 has 64 hexadecimal digits.")
        }
    }
}
