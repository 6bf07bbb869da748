import CCurl

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A transfer that curl ended with an error, and what curl knows about it (libcurl-errors(3)).
struct CurlFailure {
    private let result: CURLcode
    private let systemError: Int
    private let proxyStatus: Int
    private let lastStatus: Int?
    /// Where curl was when it failed, which after a redirect is not where the request went.
    private let lastURL: String?

    /// - Returns: `nil` where there was no error.
    init?(_ result: CURLcode, of easy: EasyHandle, lastStatus: Int?) {
        guard result != CURLE_OK else { return nil }
        self.result = result
        self.lastStatus = lastStatus
        systemError = easy.long(CURLINFO_OS_ERRNO)
        proxyStatus = easy.long(CURLINFO_HTTP_CONNECTCODE)
        lastURL = easy.string(CURLINFO_EFFECTIVE_URL)
    }

    func error(for exchange: Exchange) -> TransferError {
        let place = lastURL.flatMap { try? Endpoint(url: $0) } ?? exchange.endpoint
        let timeouts = exchange.request.timeouts
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST:
            return TransferError(.hostNotFound, "The host \(place.host) was not found. Check its name and the network.")
        case CURLE_COULDNT_RESOLVE_PROXY:
            return TransferError(
                .hostNotFound,
                "The proxy for \(place) was not found. Check the proxy variables of the environment."
            )
        case CURLE_COULDNT_CONNECT where systemError == Int(ECONNREFUSED):
            return TransferError(
                .connectionRefused,
                "\(place) refused the connection. Check that the service is running there."
            )
        case CURLE_COULDNT_CONNECT:
            return TransferError(.connectionFailed, "No connection to \(place) could be made\(systemReason).")
        case CURLE_OPERATION_TIMEDOUT:
            // The connection is the one thing that curl is given a limit for.
            return TransferError(.timeoutConnect, "\(place) could not be reached within \(timeouts.connect).")
        case CURLE_RECV_ERROR where proxyStatus >= 300:
            return TransferError(
                .connectionFailed,
                "The proxy refused to connect to \(place), with status \(proxyStatus)."
            )
        case CURLE_TOO_MANY_REDIRECTS:
            let limit = exchange.request.maximumRedirects
            return TransferError(.tooManyRedirects, "\(place) redirected once more after \(limit) redirects.")
        case CURLE_UNSUPPORTED_PROTOCOL where lastStatus != nil:
            return TransferError(
                .unsupportedScheme,
                "\(exchange.endpoint) redirected to something other than http and https."
            )
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            return TransferError(.transportFailed, "\(place) did not answer in HTTP. Check the port.")
        case CURLE_URL_MALFORMAT:
            return TransferError(.invalidURL, "\(exchange.endpoint) redirected to an invalid URL.")
        case let result where Self.lost.contains(result):
            return TransferError(
                .connectionLost,
                "The connection to \(place) was lost before the answer was complete\(systemReason)."
            )
        case let result where Self.tls.contains(result):
            return TransferError(.tlsFailed, "No secure connection to \(place): \(reason).")
        default:
            return TransferError(.transportFailed, "The transfer from \(place) failed: \(reason).")
        }
    }

    private var reason: String { String(cString: curl_easy_strerror(result)) }

    private var systemReason: String {
        systemError == 0 ? "" : ": " + String(cString: strerror(Int32(systemError)))
    }

    private static let lost = [
        CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2, CURLE_HTTP2_STREAM,
    ]

    private static let tls = [
        CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
        CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS,
        CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CLIENTCERT,
    ]
}
