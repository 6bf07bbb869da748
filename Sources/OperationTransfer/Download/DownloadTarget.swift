import CCurl
import OperationTracking

/// Where a download goes: a folder, and a name in it that can't lead out of it.
struct DownloadTarget: Sendable, Hashable {
    let folder: String
    let name: String

    var path: String { folder == "/" ? "/" + name : folder + "/" + name }
    /// What has arrived, until it is complete.
    var partName: String { name + Self.partSuffix }
    /// What the part is a part of.
    var noteName: String { name + Self.noteSuffix }

    private static let partSuffix = ".part"
    private static let noteSuffix = ".part.json"

    /// - Parameters:
    ///   - target: a name, or a path where `allowsPaths`; `nil` for the name that the URL's path ends in.
    ///   - url: where the file comes from.
    ///   - directory: the folder that names and relative paths are in.
    ///   - allowsPaths: whether the target may be in another folder.
    init(_ target: String?, url: String, directory: String, allowsPaths: Bool) throws(OperationFailure) {
        let target = if let target { target } else { try Self.name(inURL: url) }
        // By bytes, as the file system reads it: to a `Character` a mark that combines belongs to the '/' before it.
        let slash = target.utf8.lastIndex(of: UInt8(ascii: "/"))
        guard slash == nil || allowsPaths else {
            throw Self.refusal("may only be a name here, without a folder")
        }
        name = slash.map { String(target[target.utf8.index(after: $0)...]) } ?? target
        let parent = slash.map { String(target[..<$0]) } ?? "."
        if target.utf8.first == UInt8(ascii: "/") {
            folder = parent.isEmpty ? "/" : parent
        } else {
            folder = parent == "." ? directory : directory + "/" + parent
        }
        try Self.check(name)
        guard !folder.utf8.contains(0) else { throw Self.refusal("holds a NUL") }
    }

    private static func check(_ name: String) throws(OperationFailure) {
        guard !name.isEmpty, name != ".", name != ".." else { throw refusal("must end in a file's name") }
        guard name.unicodeScalars.allSatisfy({ !$0.movesText }) else {
            throw refusal("holds a control character")
        }
        // 255 bytes is what file systems take, the longest suffix included.
        guard name.utf8.count <= 255 - noteSuffix.utf8.count else {
            throw refusal("has a name of more than \(255 - noteSuffix.utf8.count) bytes")
        }
        let isUnfinished = [partSuffix, noteSuffix].contains { name.utf8.reversed().starts(with: $0.utf8.reversed()) }
        guard !isUnfinished else {
            throw refusal("may not end in \(partSuffix) or \(noteSuffix), which unfinished downloads end in")
        }
    }

    /// The last part of the URL's path, without its percent-encoding.
    private static func name(inURL url: String) throws(OperationFailure) -> String {
        guard let path = URLPart.path.decoded(in: url), let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            throw refusal("can't be told from the URL: say what the file is to be called")
        }
        let name = path[path.utf8.index(after: slash)...]
        guard !name.isEmpty else {
            throw refusal("can't be told from the URL: say what the file is to be called")
        }
        return String(name)
    }

    private static func refusal(_ reason: String) -> OperationFailure {
        OperationFailure(.invalidRequest, "The target \(reason).")
    }
}

/// A part of a URL, by curl's parser, which is what the URL is used with.
enum URLPart {
    case path
    case user
    case password

    /// The part without its percent-encoding; `nil` when there is none, or it holds a control character.
    func decoded(in url: String) -> String? { value(in: url, UInt32(CURLU_URLDECODE)) }

    /// Whether there is such a part, whatever it holds.
    func isPresent(in url: String) -> Bool { value(in: url, 0) != nil }

    private func value(in url: String, _ flags: UInt32) -> String? {
        guard let parser = curl_url() else { return nil }
        defer { curl_url_cleanup(parser) }
        guard curl_url_set(parser, CURLUPART_URL, url, 0) == CURLUE_OK else { return nil }
        let part =
            switch self {
            case .path: CURLUPART_PATH
            case .user: CURLUPART_USER
            case .password: CURLUPART_PASSWORD
            }
        var value: UnsafeMutablePointer<CChar>?
        guard curl_url_get(parser, part, &value, flags) == CURLUE_OK, let value else { return nil }
        defer { curl_free(value) }
        return String(cString: value)
    }
}
