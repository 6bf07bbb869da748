#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// What is known of the icons in a folder: whom to name for each, and under what licence it is. It is the file `index.json` beside the
/// categories; keys that others have added to it are kept.
struct IconIndex {
    static let name = "index.json"
    private static let limit = 32 << 20

    private var whole: [String: JSONValue] = [:]
    private var icons: [String: JSONValue] = [:]
    private var isChanged = false
    /// The file that this was read from or written to.
    private var stamp: IconFolder.Category.Stamp?

    /// Reads the index of a folder, where it is not the one that is known already.
    ///
    /// - Returns: under what name a broken one was set aside.
    mutating func refresh(from folder: IconFolder.Category, at now: Int64) throws(OperationFailure) -> String? {
        let found = folder.stamp(of: Self.name)
        guard found != stamp else { return nil }
        self = IconIndex()
        guard found != nil else { return nil }
        if let json = folder.read(Self.name, limit: Self.limit).flatMap(JSONValue.init)?.object,
            let icons = json["icons", default: .object([:])].object
        {
            (whole, self.icons, stamp) = (json, icons, found)
            return nil
        }
        return try folder.setAside(Self.name, as: "index.invalid-\(now / 1000)", ".json")
    }

    /// Enters an icon under its file; what is known of it beside is kept.
    mutating func enter(_ icon: NounProjectIcon, as file: String, of term: SeedTerm) {
        let path = "\(term.folder)/\(file)"
        var entry = icons[path]?.object ?? [:]
        let values: [(String, String?)] = [
            ("id", icon.id), ("category", term.category), ("term", entry["term"]?.text ?? term.term),
            ("title", icon.term),
            ("attribution", icon.attribution), ("license_description", icon.licenseDescription),
            ("creator", icon.creator?.name), ("permalink", icon.permalink),
        ]
        for (key, value) in values {
            entry[key] = value.map { .string($0.bounded(toBytes: 500)) } ?? entry[key] ?? .null
        }
        guard icons[path] != .object(entry) else { return }
        icons[path] = .object(entry)
        isChanged = true
    }

    mutating func remove(_ file: String, of term: SeedTerm) {
        if icons.removeValue(forKey: "\(term.folder)/\(file)") != nil { isChanged = true }
    }

    /// The files of the icons that were found for a term, in a format.
    func files(of term: SeedTerm, _ format: IconFormat) -> [String] {
        icons.compactMap { path, entry in
            guard entry["category"]?.text == term.category, entry["term"]?.text == term.term else { return nil }
            guard path.hasPrefix(term.folder + "/"), path.hasSuffix("." + format.rawValue) else { return nil }
            let file = String(path.dropFirst(term.folder.count + 1))
            return file.contains("/") ? nil : file
        }
    }

    /// Writes the index, when there is anything new.
    mutating func save(to folder: IconFolder.Category) throws(OperationFailure) {
        guard isChanged else { return }
        whole["icons"] = .object(icons)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(JSONValue.object(whole)) else {
            throw OperationFailure(
                .storageError,
                "The index of the icons can't be written as JSON: it holds a number that is none."
            )
        }
        try folder.write(Array(data) + [UInt8(ascii: "\n")], to: Self.name)
        isChanged = false
        stamp = folder.stamp(of: Self.name)
    }
}
