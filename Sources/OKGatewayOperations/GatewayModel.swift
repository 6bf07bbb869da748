/// A model that the gateway is set up with.
public struct GatewayModel: Sendable, Hashable {
    /// What people call it.
    public var name: String
    /// The names to pull it by, in the order in which they are tried; never empty.
    public var sources: [String]
    /// What the gateway uses it for: `core`, `dev`, `fallback`. Written to `availability` when it is there.
    public var profiles: [String]
    /// About how much it takes on disk, in bytes; `nil` when unknown, and then the disk isn't looked at.
    public var approximateBytes: Int64?

    /// Makes a model.
    ///
    /// - Parameters:
    ///   - name: what people call it.
    ///   - sources: the names to pull it by; empty for the name itself.
    ///   - profiles: what the gateway uses it for.
    ///   - approximateBytes: about how much it takes on disk.
    public init(
        _ name: String,
        from sources: [String] = [],
        profiles: [String] = ["core"],
        approximateBytes: Int64? = nil
    ) {
        self.name = name
        self.sources = sources.isEmpty ? [name] : sources
        self.profiles = profiles
        self.approximateBytes = approximateBytes
    }

    /// The models of the original gateway. Sizes are those that https://ollama.com/library gives for the default tags.
    public static let usual: [GatewayModel] = [
        GatewayModel(
            "mistral-small2",
            from: ["mistral-small", "mistral-small2", "mistral-small:latest"],
            approximateBytes: 14_000_000_000
        ),
        GatewayModel(
            "mistral-large2",
            from: ["mistral-large", "mistral-large2", "mistral-large:latest"],
            approximateBytes: 73_000_000_000
        ),
        GatewayModel("devstral-small-2", profiles: ["dev"], approximateBytes: 15_000_000_000),
        GatewayModel("qwen2.5:0.5b", profiles: ["core", "fallback"], approximateBytes: 400_000_000),
    ]

    /// The one of `known` that is called so, or a model of which only the name is known.
    static func named(_ name: String, among known: [GatewayModel]) -> GatewayModel {
        known.first { $0.name == name } ?? GatewayModel(name)
    }
}
