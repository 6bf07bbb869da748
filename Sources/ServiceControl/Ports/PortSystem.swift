/// What is asked of the system about ports and processes, so that a test can play one.
protocol PortSystem: Sendable {
    /// The TCP sockets that listen, on all ports or on one.
    func listeners(port: UInt16?) throws(ServiceError) -> [ListeningSocket]

    /// The processes that have any of the sockets, and which.
    func holders(of inodes: Set<UInt64>) -> [Int32: Set<UInt64>]

    /// Which of the sockets a process has now.
    func sockets(of pid: Int32, among inodes: Set<UInt64>) -> Set<UInt64>

    /// A process; `nil` when there is none with this pid.
    func process(_ pid: Int32) -> ProcessDetails?
}

#if os(Linux)
import OperationTracking

/// The system's own answers.
struct SystemPorts: PortSystem {
    func listeners(port: UInt16?) throws(ServiceError) -> [ListeningSocket] {
        if let found = SockDiagSocket()?.listeners(port: port) { return found }
        return try Self.fromFiles(port: port)
    }

    /// Slower, and without a word on IPv6 sockets that leave IPv4 to others.
    static func fromFiles(port: UInt16?) throws(ServiceError) -> [ListeningSocket] {
        // Those that listen come first, some 150 bytes each.
        let files = ["/proc/net/tcp", "/proc/net/tcp6"].compactMap { ProcFile.contents(of: $0, limit: 4 << 20) }
        guard !files.isEmpty else {
            throw ServiceError(
                .system,
                "The system doesn't say who listens on which port: it gives neither sock_diag nor /proc/net/tcp. Mount /proc, or run outside the sandbox."
            )
        }
        return files.flatMap(ProcNetTCP.listeners).filter { port == nil || $0.port == port }
    }

    func holders(of inodes: Set<UInt64>) -> [Int32: Set<UInt64>] { DescriptorScan.holders(of: inodes) }

    func sockets(of pid: Int32, among inodes: Set<UInt64>) -> Set<UInt64> {
        DescriptorScan.sockets(of: pid, among: inodes)
    }

    func process(_ pid: Int32) -> ProcessDetails? { ProcessDetails(pid: pid) }
}
#endif
