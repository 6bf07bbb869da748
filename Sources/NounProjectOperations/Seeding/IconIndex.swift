import OperationTracking

/// What is known of the icons in a folder: whom to name for each, and under what licence it is. It is the file `index.json` beside the
/// categories; what others have added to it is kept as they wrote it.
struct IconIndex {
    static let name = "index.json"
    private static let limit = 32 << 20

    private var whole = OrderedJSON.emptyObject
    private var icons: [String: OrderedJSON] = [:]
    private var isChanged = false
    /// The file that this was read from or written to.
    private var stamp: IconFolder.Category.Stamp?

    /// Reads the index of a folder, where it is not the one that is known already.
    ///
    /// - Returns: under what name a broken one was set aside.
    mutating func refresh(from folder: IconFolder.Category, at now: Int64) throws(OperationFailure) -> String? {
        // What a killed run has left of an index, looked for when a run begins.
        if stamp == nil { folder.removeParts() }
        let found = folder.stamp(of: Self.name)
        guard found != stamp else { return nil }
        self = IconIndex()
        guard found != nil else { return nil }
        if let json = folder.read(Self.name, limit: Self.limit).flatMap({ OrderedJSON($0) }), json.members != nil,
            let icons = (json.member("icons") ?? .emptyObject).members
        {
            let entries = icons.compactMap { member in member.key.map { ($0, member.value) } }
            (whole, self.icons, stamp) = (json, Dictionary(entries) { $1 }, found)
            return nil
        }
        return try folder.setAside(Self.name, as: "index.invalid-\(now / 1000)", ".json")
    }

    /// Enters an icon under its file; what is known of it beside is kept.
    mutating func enter(_ icon: NounProjectIcon, as file: String, of term: SeedTerm) {
        let path = "\(term.folder)/\(file)"
        let known = icons[path]
        var entry = known?.members == nil ? .emptyObject : known ?? .emptyObject
        let values: [(String, String?)] = [
            ("id", icon.id), ("category", term.category), ("term", entry["term"]?.text ?? term.term),
            ("title", icon.term),
            ("attribution", icon.attribution), ("license_description", icon.licenseDescription),
            ("creator", icon.creator?.name), ("permalink", icon.permalink),
        ]
        for (key, value) in values {
            if let value = value?.bounded(toBytes: 500) {
                if entry[key]?.text != value { entry[key] = .string(value) }
            } else if entry[key] == nil {
                entry[key] = .null
            }
        }
        guard known != entry else { return }
        icons[path] = entry
        isChanged = true
    }

    mutating func remove(_ file: String, of term: SeedTerm) {
        if icons.removeValue(forKey: "\(term.folder)/\(file)") != nil { isChanged = true }
    }

    /// The files of the icons that were found for a term, in a format.
    func files(of term: SeedTerm, _ format: IconFormat) -> [String] {
        icons.compactMap { path, entry in
            guard entry["category"]?.text == term.category, entry["term"]?.text == term.term else { return nil }
            let start = term.folder + "/"
            guard path.utf8.starts(with: start.utf8), path.hasSuffix("." + format.rawValue) else { return nil }
            let file = path.utf8.dropFirst(start.utf8.count)
            return file.contains(UInt8(ascii: "/")) ? nil : String(Substring(file))
        }
    }

    /// Writes the index, when there is anything new.
    mutating func save(to folder: IconFolder.Category) throws(OperationFailure) {
        guard isChanged else { return }
        let members = icons.sorted { $0.key < $1.key }
        whole["icons"] = .object(members.map { .init(literal: OrderedJSON.literal($0.key), value: $0.value) })
        try folder.write(whole.bytes, to: Self.name)
        isChanged = false
        stamp = folder.stamp(of: Self.name)
    }
}
