#if os(Linux)
import OperationTracking
#endif

/// What watches over a process and may start it again when it ends.
public struct ProcessSupervisor: Sendable, Hashable, CustomStringConvertible {
    /// A kind of supervisor. New ones may appear.
    public struct Kind: RawRepresentable, Sendable, Hashable {
        /// The name.
        public let rawValue: String

        /// Takes a kind's name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The system's service manager on most Linux machines.
        public static let systemd = Kind(rawValue: "systemd")
        /// Docker.
        public static let docker = Kind(rawValue: "docker")
        /// Podman.
        public static let podman = Kind(rawValue: "podman")
        /// containerd, as Kubernetes uses it.
        public static let containerd = Kind(rawValue: "containerd")
        /// CRI-O, as Kubernetes uses it.
        public static let crio = Kind(rawValue: "cri-o")
        /// The service manager of macOS.
        public static let launchd = Kind(rawValue: "launchd")
    }

    /// The kind.
    public var kind: Kind
    /// What it calls its charge: a unit such as `nginx.service`, the first twelve digits of a container's id; `nil` when
    /// that isn't known.
    public var unit: String?
    /// Whether the process only passes connections on to a container, whose server is another process.
    public var isProxy: Bool
    /// What to do instead of ending the process, in a sentence.
    public var advice: String

    /// Makes a description.
    public init(kind: Kind, unit: String?, isProxy: Bool = false, advice: String) {
        self.kind = kind
        self.unit = unit
        self.isProxy = isProxy
        self.advice = advice
    }

    /// The kind, and the unit where it is known.
    public var description: String { unit.map { "\(kind.rawValue) (\($0))" } ?? kind.rawValue }
}

extension ProcessSupervisor {
    /// The programs by which container engines bring a container's ports to the machine.
    init?(proxy name: String, command: [String]) {
        let place = Self.value(of: "-container-ip", in: command).map { " at \($0.shown)" } ?? ""
        switch name {
        case "docker-proxy", "docker-proxy-linux", "rootlesskit", "rootlessport", "com.docker.backend":
            self.init(
                kind: name == "rootlessport" ? .podman : .docker,
                unit: nil,
                isProxy: true,
                advice:
                    "It serves a container\(place): find that with `\(name == "rootlessport" ? "podman" : "docker") ps`, and stop it there."
            )
        default: return nil
        }
    }

    private static func value(of option: String, in command: [String]) -> String? {
        command.firstIndex(of: option).flatMap { command.dropFirst($0 + 1).first }
    }
}

#if os(Linux)
extension ProcessSupervisor {
    /// What supervises a process on this machine; `nil` when nothing is known to.
    init?(of process: ProcessDetails) {
        let pid = process.identity.pid
        if let proxy = ProcessSupervisor(proxy: process.name, command: process.command) {
            self = proxy
        } else if let text = ProcFile.contents(of: "/proc/\(pid)/cgroup"),
            let own = ProcFile.contents(of: "/proc/self/cgroup"),
            let found = ProcessSupervisor(controlGroups: text, own: own)
        {
            self = found
        } else {
            return nil
        }
    }

    /// Reads it out of a process's control groups (cgroups(7), `/proc/PID/cgroup`), whose names tell who made them.
    ///
    /// - Parameters:
    ///   - text: the process's.
    ///   - own: this process's. What it shares with this process is no supervisor of that one: whatever a service starts
    ///     is in the service's group.
    init?(controlGroups text: [UInt8], own: [UInt8]) {
        guard let found = Self.names(in: text).lazy.compactMap({ Self.supervisor(of: $0) }).first else { return nil }
        let ownSupervisor = Self.names(in: own).lazy.compactMap { Self.supervisor(of: $0) }.first
        guard found != ownSupervisor else { return nil }
        self = found
    }

    /// The groups' paths. Hierarchies of version 1 that systemd doesn't name are of no interest but for containers.
    private static func names(in text: [UInt8]) -> [[Substring]] {
        String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            return fields.count == 3 ? fields[2].split(separator: "/") : nil
        }
    }

    /// The innermost group that a supervisor has made.
    private static func supervisor(of path: [Substring]) -> ProcessSupervisor? {
        for (index, name) in path.enumerated().reversed() {
            if let container = container(name, in: path[..<index].last) { return container }
            // A scope holds what came into being without systemd, as a login does; nothing starts that again.
            if name.hasSuffix(".scope") { return nil }
            if name.hasSuffix(".service") {
                // The manager of a user's own services.
                if name.hasPrefix("user@") { return nil }
                let isUsers = path[..<index].contains { $0.hasPrefix("user@") }
                return systemd(String(name), isUsers: isUsers)
            }
        }
        return nil
    }

    private static func systemd(_ unit: String, isUsers: Bool) -> ProcessSupervisor {
        let command = isUsers ? "systemctl --user" : "systemctl"
        return ProcessSupervisor(
            kind: .systemd,
            unit: unit,
            advice: "systemd may start it again: use `\(command) stop \(unit)`."
        )
    }

    /// Containers are named by 64 hexadecimal digits: `docker-ID.scope`, `libpod-ID.scope`, `cri-containerd-ID.scope` with
    /// systemd's groups, a folder `ID` in one named `docker`, `libpod_parent` or `kubepods…` without.
    private static func container(_ name: Substring, in parent: Substring?) -> ProcessSupervisor? {
        let stem = name.hasSuffix(".scope") ? name.dropLast(6) : name
        let id = stem.suffix(64)
        guard id.count == 64, id.allSatisfy({ $0.isHexDigit && $0.isASCII }) else { return nil }
        let unit = String(id.prefix(12))
        let origin = stem.count > 64 ? stem.dropLast(64) : (parent ?? "")
        if origin.hasPrefix("docker") {
            return ProcessSupervisor(
                kind: .docker,
                unit: unit,
                advice: "It runs in a container: use `docker stop \(unit)`."
            )
        }
        if origin.hasPrefix("libpod") {
            return ProcessSupervisor(
                kind: .podman,
                unit: unit,
                advice: "It runs in a container: use `podman stop \(unit)`."
            )
        }
        let kind = origin.hasPrefix("crio") ? Kind.crio : .containerd
        return ProcessSupervisor(
            kind: kind,
            unit: unit,
            advice: "It runs in a container of \(kind.rawValue): use `crictl stop \(unit)`, or delete its pod."
        )
    }
}
#endif
