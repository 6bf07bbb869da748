/// An icon, as the API tells of it.
public struct NounProjectIcon: Sendable, Hashable {
    /// Its id, as the API gives it.
    public var id: String
    /// What it shows, such as `Log Cabin`.
    public var term: String?
    /// Whom to name, and how, where it is used.
    public var attribution: String?
    /// Its licence, such as `public-domain` or `creative-commons-attribution`.
    public var licenseDescription: String?
    /// Its page, below https://thenounproject.com.
    public var permalink: String?
    /// Who made it.
    public var creator: NounProjectCreator?
    /// Words that go with it.
    public var tags: [String]
    /// The collections that it is in.
    public var collections: [NounProjectCollection]
    /// Where a small picture of it is; free to show.
    public var thumbnail: String?
    /// A signed link to its SVG, which works for an hour. Whoever has it has the icon, so it is shown nowhere.
    var link: String?

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.text else { return nil }
        self.id = id
        term = json["term"]?.text
        attribution = json["attribution"]?.text
        licenseDescription = json["license_description"]?.text
        permalink = json["permalink"]?.text
        creator = json["creator"].flatMap(NounProjectCreator.init)
        // Tags are words in one version of the API, objects in another.
        tags = json["tags"]?.elements.compactMap { $0.text ?? $0["slug"]?.text } ?? []
        collections = json["collections"]?.elements.compactMap(NounProjectCollection.init) ?? []
        thumbnail = json["thumbnail_url"]?.text
        link = json["icon_url"]?.text
    }
}

extension NounProjectIcon: CustomStringConvertible, CustomReflectable {
    /// The id and what the icon shows.
    public var description: String { "icon \(id)" + (term.map { " (\($0))" } ?? "") }

    /// Everything but the signed link.
    public var customMirror: Mirror {
        Mirror(self, children: ["id": id, "term": term as Any, "attribution": attribution as Any])
    }
}

/// Who made an icon or a collection.
public struct NounProjectCreator: Sendable, Hashable {
    /// The name for people.
    public var name: String
    /// The name of the account.
    public var username: String?

    init?(_ json: JSONValue) {
        guard let name = json["name"]?.text ?? json["username"]?.text else { return nil }
        self.name = name
        username = json["username"]?.text
    }
}

/// A collection of icons.
public struct NounProjectCollection: Sendable, Hashable {
    /// Its id, as the API gives it.
    public var id: String
    /// What it is called.
    public var name: String?
    /// Its page, below https://thenounproject.com.
    public var permalink: String?
    /// Who made it.
    public var creator: NounProjectCreator?
    /// Its icons; none where the answer left them out.
    public var icons: [NounProjectIcon]

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.text else { return nil }
        self.id = id
        name = json["name"]?.text
        permalink = json["permalink"]?.text
        creator = json["creator"].flatMap(NounProjectCreator.init)
        icons = json["icons"]?.elements.compactMap(NounProjectIcon.init) ?? []
    }
}

/// One page of icons that were found.
public struct NounProjectPage: Sendable, Hashable {
    /// The icons, best first.
    public var icons: [NounProjectIcon]
    /// How many there are in all; `nil` when the answer doesn't say.
    public var total: Int64?
    /// What asks for the next page; `nil` on the last one.
    public var nextPage: String?
    /// How much of its quota the key has used.
    public var usage: NounProjectUsage

    init(_ json: JSONValue) {
        icons = json["icons"]?.elements.compactMap(NounProjectIcon.init) ?? []
        total = json["total"]?.integer
        nextPage = json["next_page"]?.text
        usage = NounProjectUsage(answer: json)
    }
}

/// The form that an icon's file has.
public enum IconFormat: String, Sendable, Hashable, Codable, CaseIterable {
    /// Scalable Vector Graphics.
    case svg
    /// Portable Network Graphics.
    case png
}
