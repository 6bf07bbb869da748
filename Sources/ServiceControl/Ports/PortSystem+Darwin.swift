#if canImport(Darwin)
import Darwin
import OperationTracking

// Written with care and not run: the project is built and tested on Linux only.

/// Sockets as libproc shows them: those of every process of this user, and of all others for root. There is no list of
/// sockets apart from the processes that have them, so a port of another user's looks free here.
struct SystemPorts: PortSystem {
    func listeners(port: UInt16?) throws(ServiceError) -> [ListeningSocket] {
        var found: [UInt64: ListeningSocket] = [:]
        for pid in try Self.listProcesses() {
            for socket in Self.sockets(of: pid) where port == nil || socket.port == port {
                found[socket.inode] = socket
            }
        }
        return Array(found.values)
    }

    func holders(of inodes: Set<UInt64>) -> [Int32: Set<UInt64>] {
        var found: [Int32: Set<UInt64>] = [:]
        for pid in (try? Self.listProcesses()) ?? [] {
            let own = sockets(of: pid, among: inodes)
            if !own.isEmpty { found[pid] = own }
        }
        return found
    }

    func sockets(of pid: Int32, among inodes: Set<UInt64>) -> Set<UInt64> {
        inodes.intersection(Self.sockets(of: pid).map(\.inode))
    }

    func process(_ pid: Int32) -> ProcessDetails? { ProcessDetails(pid: pid) }

    static func listProcesses() throws(ServiceError) -> [Int32] {
        var found = [pid_t](repeating: 0, count: max(0, Int(proc_listallpids(nil, 0))) + 64)
        let count = proc_listallpids(&found, Int32(found.count * MemoryLayout<pid_t>.size))
        guard count > 0 else {
            throw ServiceError(
                .system,
                "The system doesn't say which processes there are: \(String(cString: strerror(errno)))."
            )
        }
        return Array(found.prefix(Int(count)))
    }

    private static func sockets(of pid: Int32) -> [ListeningSocket] {
        let stride = MemoryLayout<proc_fdinfo>.stride
        let size = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, nil, 0)
        guard size > 0 else { return [] }
        var descriptors = [proc_fdinfo](repeating: proc_fdinfo(), count: Int(size) / stride + 16)
        let filled = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, &descriptors, Int32(descriptors.count * stride))
        return descriptors.prefix(max(0, Int(filled) / stride)).compactMap { descriptor in
            guard descriptor.proc_fdtype == UInt32(PROX_FDTYPE_SOCKET) else { return nil }
            var info = socket_fdinfo()
            let size = Int32(MemoryLayout<socket_fdinfo>.size)
            guard proc_pidfdinfo(pid, descriptor.proc_fd, PROC_PIDFDSOCKETINFO, &info, size) == size else { return nil }
            return listener(info.psi)
        }
    }

    private static func listener(_ info: socket_info) -> ListeningSocket? {
        guard info.soi_kind == Int32(SOCKINFO_TCP), info.soi_proto.pri_tcp.tcpsi_state == Int32(TSI_S_LISTEN) else {
            return nil
        }
        let end = info.soi_proto.pri_tcp.tcpsi_ini
        let isIPv6 = info.soi_family == AF_INET6
        let address =
            isIPv6
            ? withUnsafeBytes(of: end.insi_laddr.ina_6) { IPAddress($0, isIPv6: true) }
            : withUnsafeBytes(of: end.insi_laddr.ina_46.i46a_addr4) { IPAddress($0, isIPv6: false) }
        guard let address else { return nil }
        return ListeningSocket(
            address: address,
            port: UInt16(bigEndian: UInt16(truncatingIfNeeded: end.insi_lport)),
            userID: info.soi_stat.vst_uid,
            inode: info.soi_so
        )
    }
}

extension ProcessDetails {
    init?(running pid: Int32) {
        var info = proc_bsdinfo()
        let size = Int32(MemoryLayout<proc_bsdinfo>.size)
        guard proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, size) == size else { return nil }
        var path = [CChar](repeating: 0, count: Int(MAXPATHLEN) * 4)
        let executable = proc_pidpath(pid, &path, UInt32(path.count)) > 0 ? String(cString: path) : nil
        let kept = withUnsafeBytes(of: info.pbi_comm) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let parent = Int32(bitPattern: info.pbi_ppid)
        self.init(
            identity: ProcessIdentity(
                pid: pid,
                startTime: info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec
            ),
            parent: parent,
            name: Self.name(kept: kept, command: [], executable: executable),
            executable: executable,
            userID: info.pbi_uid,
            realUserID: info.pbi_ruid
        )
        supervisor = ProcessSupervisor(proxy: name, command: [])
        // Whatever launchd has started is its child; so is what has lost its parent.
        if supervisor == nil, parent == 1 {
            supervisor = ProcessSupervisor(
                kind: .launchd,
                unit: nil,
                advice: "launchd may start it again: look for it with `launchctl list`, and use `launchctl bootout`."
            )
        }
    }
}
#endif
