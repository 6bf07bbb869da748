import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What can go wrong with a download, and what to do about it.
extension OperationFailure {
    /// What a status other than success means.
    static func download(status: Int, retryAfter: Duration?) -> OperationFailure {
        switch status {
        case 401, 403:
            OperationFailure(
                .unauthorized,
                "The server refuses access (HTTP \(status)): check that the link is public, or still valid."
            )
        case 407:
            OperationFailure(
                .unauthorized,
                "The proxy asks who is calling (HTTP 407): check the proxy variables of the environment."
            )
        case 404, 410:
            OperationFailure(.notFound, "The server has no such file (HTTP \(status)): check the URL.")
        case 408:
            OperationFailure(
                .timeout,
                "The server waited too long for the request (HTTP 408): try again.",
                retryAfter: retryAfter
            )
        case 425, 429:
            OperationFailure(
                .rateLimited,
                "The server asks to be called less often (HTTP \(status)): try again \(time(retryAfter)).",
                retryAfter: retryAfter
            )
        case 500...599:
            OperationFailure(
                .serverError,
                "The server has a fault of its own (HTTP \(status)): try again \(time(retryAfter)).",
                retryAfter: retryAfter
            )
        case 400...499:
            OperationFailure(.invalidRequest, "The server refuses the request (HTTP \(status)): check the URL.")
        default:
            OperationFailure(.protocolError, "The server answered HTTP \(status), which gives no file: check the URL.")
        }
    }

    private static func time(_ retryAfter: Duration?) -> String {
        retryAfter.map { "after \($0.components.seconds) seconds" } ?? "later"
    }

    static func exists(_ target: DownloadTarget) -> OperationFailure {
        OperationFailure(
            .alreadyExists,
            "\(target.path) exists already: choose another target, or ask for it to be replaced."
        )
    }

    static func isFolder(_ target: DownloadTarget) -> OperationFailure {
        OperationFailure(.alreadyExists, "\(target.path) is a folder, which no file replaces: choose another target.")
    }

    static func foreignPart(of target: DownloadTarget) -> OperationFailure {
        OperationFailure(
            .alreadyExists,
            "\(target.path).part or \(target.path).part.json is there, and no download has left it: move it away, or choose another target."
        )
    }

    static func inUse(_ target: DownloadTarget) -> OperationFailure {
        OperationFailure(
            .inUse,
            "Another download to \(target.path) is under way: wait for it, cancel it, or choose another target."
        )
    }

    static func noRoom(for needed: Int64, available: Int64, in folder: String) -> OperationFailure {
        OperationFailure(
            .diskFull,
            "\((needed + (1 << 20) - 1) >> 20) MB are still to come, and \(folder) has room for \(available >> 20) MB: make room, then start it again; what has arrived is kept."
        )
    }

    static func wrongSize(_ size: Int64, expected: Int64) -> OperationFailure {
        OperationFailure(
            .integrityError,
            "The file has \(size) bytes and not the \(expected) expected: check the URL and the size asked for."
        )
    }

    static func tooLong(expected: Int64) -> OperationFailure {
        OperationFailure(
            .integrityError,
            "More came than the \(expected) bytes expected, so it was thrown away: check the URL and the size asked for."
        )
    }

    static func tooShort(_ size: Int64, expected: Int64) -> OperationFailure {
        OperationFailure(
            .connectionLost,
            "The answer ended after \(size) of \(expected) bytes: try again; what has arrived is kept."
        )
    }

    static func wrongChecksum(_ found: String, expected: String) -> OperationFailure {
        OperationFailure(
            .integrityError,
            "The file's SHA-256 is \(found) and not \(expected), so it was thrown away: check the digest asked for; if it is right, the file was damaged or replaced."
        )
    }

    /// What a system call on the target said. What it did is given as in "can't …".
    static func file(_ number: Int32, doing: String) -> OperationFailure {
        switch number {
        case ENOSPC, EDQUOT:
            OperationFailure(
                .diskFull,
                "There is no room left to \(doing): make room, then start it again; what has arrived is kept."
            )
        case ENOENT, ENOTDIR:
            OperationFailure(
                .storageError,
                "Can't \(doing): the folder is not there. Make it first, or choose another target."
            )
        default:
            OperationFailure(
                .storageError,
                "Can't \(doing): \(String(cString: strerror(number))). Choose another target, or mend this one."
            )
        }
    }
}
