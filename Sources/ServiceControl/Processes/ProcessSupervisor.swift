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
        /// LXC, by itself or under LXD or Incus.
        public static let lxc = Kind(rawValue: "lxc")
        /// systemd's manager of containers and virtual machines, such as those of systemd-nspawn.
        public static let machined = Kind(rawValue: "systemd-machined")
        /// A pid namespace within this program's, as containers have whose engine isn't known.
        public static let pidNamespace = Kind(rawValue: "pid-namespace")
        /// The service manager of macOS.
        public static let launchd = Kind(rawValue: "launchd")
    }

    /// The kind.
    public var kind: Kind
    /// What it calls its charge: a unit such as `nginx.service`, a container's name or the first twelve digits of its id, the number
    /// of a pid namespace; `nil` when that isn't known.
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
    /// Whether the process is of a container, or serves one: it is ended there, and never from here.
    var isOfContainer: Bool { isProxy || kind != .systemd && kind != .launchd }

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
    ///
    /// - Parameter status: its `/proc/PID/status`.
    init?(of process: ProcessDetails, status: [UInt8]) {
        let pid = process.identity.pid
        if let proxy = ProcessSupervisor(proxy: process.name, command: process.command) {
            self = proxy
            return
        }
        let groups = ProcFile.contents(of: "/proc/\(pid)/cgroup") ?? []
        let found = ProcessSupervisor(controlGroups: groups, own: ProcFile.contents(of: "/proc/self/cgroup") ?? [])
        if found?.isOfContainer != true, Self.isDeeper(status, than: Self.ownStatus) {
            let link = ProcessDetails.target(of: "/proc/\(pid)/ns/pid")
            self.init(
                kind: .pidNamespace,
                unit: link?.split { !$0.isNumber }.first.map(String.init),
                advice: "It runs in a container: find out whose with `lsns -t pid`, and end it there."
            )
        } else if let found {
            self = found
        } else {
            return nil
        }
    }

    /// As the program was when it first looked: a process stays in its pid namespace.
    private static let ownStatus = ProcFile.contents(of: "/proc/self/status") ?? []

    /// Whether a process has a pid in more namespaces than another that sees it (`NSpid:` in `/proc/PID/status`,
    /// proc_pid_status(5)), and so is in one within that one's. Where the system doesn't say, nothing is claimed.
    static func isDeeper(_ status: [UInt8], than own: [UInt8]) -> Bool {
        guard let own = ProcessDetails.numbers(of: "NSpid:", in: own),
            let other = ProcessDetails.numbers(of: "NSpid:", in: status)
        else { return false }
        return other.count > own.count
    }

    /// Reads it out of a process's control groups (cgroups(7), `/proc/PID/cgroup`), whose names tell who made them. A container
    /// goes before the unit that may be within it: whoever starts that one again is not this machine's systemd.
    ///
    /// - Parameters:
    ///   - text: the process's.
    ///   - own: this process's. What it shares with this process is no supervisor of that one: whatever a service starts
    ///     is in the service's group.
    init?(controlGroups text: [UInt8], own: [UInt8]) {
        let (groups, ownGroups) = (Self.names(in: text), Self.names(in: own))
        for search in [Self.container(of:), Self.unit(of:)] {
            guard let found = groups.lazy.compactMap(search).first else { continue }
            if found != ownGroups.lazy.compactMap(search).first {
                self = found
                return
            }
        }
        return nil
    }

    /// The groups' paths. Hierarchies of version 1 that systemd doesn't name are of no interest but for containers.
    private static func names(in text: [UInt8]) -> [[Substring]] {
        String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            return fields.count == 3 ? fields[2].split(separator: "/") : nil
        }
    }

    /// The innermost group that a container's engine has made.
    private static func container(of path: [Substring]) -> ProcessSupervisor? {
        path.indices.reversed().lazy.compactMap { index in
            container(path[index], in: path[..<index].last)
        }.first
    }

    /// The innermost group that systemd has made.
    private static func unit(of path: [Substring]) -> ProcessSupervisor? {
        for (index, name) in path.enumerated().reversed() {
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

    /// A container's group: of LXC `lxc.payload.NAME`, or before version 4 a folder in one named `lxc`; of systemd's
    /// `machine-NAME.scope` or `systemd-nspawn@NAME.service`; of the others by its id.
    private static func container(_ name: Substring, in parent: Substring?) -> ProcessSupervisor? {
        if let container = name.between("lxc.payload.", "") ?? (parent == "lxc" ? name : nil) {
            return ProcessSupervisor(
                kind: .lxc,
                unit: String(container),
                advice:
                    "It runs in a container: use `lxc-stop -n \(container)`, or `lxc stop` or `incus stop` where that has made it."
            )
        }
        if let machine = name.between("machine-", ".scope") ?? name.between("systemd-nspawn@", ".service") {
            // Of what may be in its name, systemd writes the hyphen alone otherwise (systemd-escape(1)).
            let machine = String(machine.replacing("\\x2d", with: "-"))
            return ProcessSupervisor(
                kind: .machined,
                unit: machine,
                advice: "It runs in a container or a virtual machine: use `machinectl stop \(machine)`."
            )
        }
        return containerByID(name, in: parent)
    }

    /// Named by 64 hexadecimal digits: `docker-ID.scope`, `libpod-ID.scope`, `cri-containerd-ID.scope` with systemd's groups, a
    /// folder `ID` in one named `docker`, `libpod_parent` or `kubepods…` without.
    private static func containerByID(_ name: Substring, in parent: Substring?) -> ProcessSupervisor? {
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

extension Substring {
    /// What stands between a prefix and a suffix; `nil` where that isn't so, or nothing does.
    fileprivate func between(_ prefix: String, _ suffix: String) -> Substring? {
        guard hasPrefix(prefix), hasSuffix(suffix), count > prefix.count + suffix.count else { return nil }
        return dropFirst(prefix.count).dropLast(suffix.count)
    }
}
#endif
