import OperationTracking

/// The gateway's modes, as its file has them: a pure value.
///
/// `modes.ofvibe.models` is a list of `{name, availability}`, where `availability` names the profiles that a model is there
/// for, and an empty list says that it is for none; `modes.ofvibe.default_models` names the model of each profile. Everything
/// else in the file is left as it is.
struct GatewayModes: Equatable {
    private(set) var document: OrderedJSON
    /// Profiles without a default, because there is no model to name.
    private(set) var profilesWithoutModel: [String] = []

    private static let profiles = ["core", "dev", "fallback"]

    /// A file with no models.
    init() {
        document = .emptyObject
        document["modes"] = .emptyObject
    }

    /// `nil` for what is no file of modes. A `null` says as much as nothing, and a byte order mark says nothing.
    init?(_ bytes: [UInt8]) {
        guard let document = OrderedJSON(bytes), document.members != nil else { return nil }
        self.document = document
        let modes = document.member("modes") ?? .emptyObject
        let mode = modes.member("ofvibe") ?? .emptyObject
        guard modes.members != nil, mode.members != nil, (mode.member("models") ?? .array([])).elements != nil,
            (mode.member("default_models") ?? .emptyObject).members != nil
        else { return nil }
    }

    /// Says of each model whether it is there, and sets the defaults that are absent.
    ///
    /// - Parameters:
    ///   - models: what became of each.
    ///   - listed: the models that the server has now; `nil` when it doesn't say, and then none is taken for gone.
    mutating func merge(_ models: [PulledModel], listed: Set<String>?) {
        var modes = document.member("modes") ?? .emptyObject
        var mode = modes.member("ofvibe") ?? .emptyObject
        var entries = mode.member("models")?.elements ?? []
        for model in models {
            if let name = model.pulled {
                Self.add(name, model.model.profiles, to: &entries)
            } else {
                Self.withdraw(model.model, from: &entries, listed: listed)
            }
        }
        mode["models"] = .array(entries)
        var defaults = mode.member("default_models") ?? .emptyObject
        profilesWithoutModel = []
        for profile in Self.profiles where defaults.member(profile) == nil {
            let there = models.filter { $0.pulled != nil }
            let best = there.first { $0.model.profiles.contains(profile) } ?? there.first
            if let name = best?.pulled {
                defaults[profile] = .string(name)
            } else {
                profilesWithoutModel.append(profile)
            }
        }
        mode["default_models"] = defaults
        modes["ofvibe"] = mode
        document["modes"] = modes
    }

    /// What somebody has chosen for a model stays, unless it says that the model is not there.
    private static func add(_ name: String, _ profiles: [String], to entries: inout [OrderedJSON]) {
        guard let index = entries.firstIndex(where: { $0["name"]?.text == name }) else {
            var entry = OrderedJSON.emptyObject
            entry["name"] = .string(name)
            entry["availability"] = .strings(profiles)
            return entries.append(entry)
        }
        let known = entries[index].member("availability")
        if known == nil || known == .array([]) { entries[index]["availability"] = .strings(profiles) }
    }

    /// Says that a model is not there, where that is known.
    private static func withdraw(_ model: GatewayModel, from entries: inout [OrderedJSON], listed: Set<String>?) {
        let indices = entries.indices.filter { index in
            entries[index]["name"]?.text.map { model.sources.contains($0) || model.name == $0 } ?? false
        }
        for index in indices {
            guard let listed, let name = entries[index]["name"]?.text, !listed.hasModel(name) else { continue }
            entries[index]["availability"] = .array([])
        }
        guard indices.isEmpty else { return }
        var entry = OrderedJSON.emptyObject
        entry["name"] = .string(model.sources.first ?? model.name)
        entry["availability"] = .array([])
        entries.append(entry)
    }
}
