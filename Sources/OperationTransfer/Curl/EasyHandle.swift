import CCurl

/// A curl easy handle: one transfer's settings and measures. Lives on curl's thread alone.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private var headerLines: UnsafeMutablePointer<curl_slist>?

    init() throws(TransferError) {
        guard let pointer = curl_easy_init() else { throw Self.noMemoryError }
        self.pointer = pointer
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(headerLines)
    }

    func set(_ option: CURLoption, _ value: Int) throws(TransferError) {
        try check(ccurl_set_long(pointer, option, value))
    }

    func set(_ option: CURLoption, offset value: Int) throws(TransferError) {
        try check(ccurl_set_offset(pointer, option, curl_off_t(value)))
    }

    /// Sets a string, which curl copies.
    func set(_ option: CURLoption, _ value: String) throws(TransferError) {
        try check(value.withCString { ccurl_set_pointer(pointer, option, $0) })
    }

    /// Sets bytes of the length set before, which curl copies.
    func set(_ option: CURLoption, copying bytes: [UInt8]) throws(TransferError) {
        try check(bytes.withUnsafeBytes { ccurl_set_pointer(pointer, option, $0.baseAddress) })
    }

    /// Sets a pointer, which has to live as long as the transfer.
    func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer) throws(TransferError) {
        try check(ccurl_set_pointer(pointer, option, value))
    }

    func set(_ option: CURLoption, _ callback: curl_write_callback) throws(TransferError) {
        try check(ccurl_set_callback(pointer, option, callback))
    }

    /// Sets the header lines beside those curl writes of itself.
    func set(headerLines lines: [String]) throws(TransferError) {
        for line in lines {
            // Returns the head of the list, which is a new one only the first time.
            guard let list = curl_slist_append(headerLines, line) else { throw Self.noMemoryError }
            headerLines = list
        }
        try check(ccurl_set_pointer(pointer, CURLOPT_HTTPHEADER, headerLines))
    }

    func long(_ info: CURLINFO) -> Int {
        var value = 0
        ccurl_get_long(pointer, info, &value)
        return value
    }

    func offset(_ info: CURLINFO) -> Int64 {
        var value: curl_off_t = 0
        ccurl_get_offset(pointer, info, &value)
        return Int64(value)
    }

    func string(_ info: CURLINFO) -> String? {
        var value: UnsafePointer<CChar>?
        ccurl_get_string(pointer, info, &value)
        return value.map { String(cString: $0) }
    }

    func allowHTTPOnly() throws(TransferError) {
        try check(ccurl_allow_http_only(pointer))
    }

    /// Without this, dropping a transfer during a name look-up waits for the resolver, and all other transfers with it.
    func doNotWaitForResolver() throws(TransferError) {
        try check(ccurl_do_not_wait_for_resolver(pointer))
    }

    private func check(_ result: CURLcode) throws(TransferError) {
        guard result == CURLE_OK else {
            let reason = String(cString: curl_easy_strerror(result))
            throw TransferError(.transportFailed, "libcurl refused a setting: \(reason).")
        }
    }

    private static let noMemoryError = TransferError(.transportFailed, "There is no memory for another transfer.")
}
