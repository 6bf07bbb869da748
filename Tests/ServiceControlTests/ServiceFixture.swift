import Foundation
import Glibc
import OperationTracking
import OperationTransfer
import Testing

@testable import ServiceControl

/// A controller with a registry of the test's own.
final class ServiceFixture: Sendable {
    let folder = TemporaryFolder()
    let history = InMemoryHistoryStore()
    let tracker: OperationTracker
    let services: ServiceController
    private let usual: ServiceController.Configuration

    init(
        _ definitions: [ServiceDefinition],
        system: any ControlSystem = SystemPorts(),
        transport: (any HTTPTransport)? = nil,
        clock: any TrackingClock = .system,
        configure: (inout ServiceController.Configuration) -> Void = { _ in }
    ) throws {
        tracker = OperationTracker(history: history, clock: clock)
        let path = folder.path + "/services.json"
        try Data(RegistryFile.document(of: definitions).bytes).write(to: URL(fileURLWithPath: path))
        var configuration = ServiceController.Configuration(folder: folder.path + "/services")
        configuration.settleTime = .milliseconds(50)
        // What a test means to see a time limit for, it sets itself; no other is to be cut short on a busy machine.
        configuration.startTimeout = .seconds(600)
        configuration.stopTimeout = .seconds(600)
        configuration.healthTimeout = .seconds(60)
        configuration.grace = .seconds(60)
        usual = configuration
        configure(&configuration)
        services = ServiceController(
            registry: try ServiceRegistry(path: path),
            tracker: tracker,
            audit: history,
            transport: transport,
            clock: clock,
            configuration: configuration,
            system: system
        )
    }

    /// As of another program, with the usual times, and without what this test has set.
    func anotherController() throws -> ServiceController {
        ServiceController(
            registry: try ServiceRegistry(path: folder.path + "/services.json"),
            tracker: tracker,
            configuration: usual
        )
    }

    /// What the audit log has, oldest first.
    func noted() async throws -> [AuditEntry] {
        try await history.auditEntries(cursor: nil, limit: 1000).entries.reversed()
    }

    /// The error with which something is refused.
    func error(_ body: () async throws -> Void) async throws -> ServiceError {
        do {
            try await body()
        } catch let error as ServiceError {
            return error
        }
        Issue.record("it was not refused")
        throw CancellationError()
    }
}

/// A port that nobody listens on, nor will unless a test has it do so: it stays bound until the tests end, so that the system
/// gives it to nobody else. A server that allows its address to be used again, as Python's and Node's do, can take it.
func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, 4)
    var address = Listener.address("127.0.0.1", port: 0)
    var size: socklen_t = 16
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
        }
    }
    try #require(isBound)
    return withUnsafeBytes(of: address) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
}

/// A web server in Python, as people start it.
func webServer(_ port: UInt16) -> String {
    "exec \(Python.path ?? "python3") -m http.server \(port) --bind 127.0.0.1"
}

/// Waits until a child listens on a port.
func waitForListener(_ port: UInt16, _ pid: Int32) async throws {
    try await eventually { try PortScanner().use(of: port).holders.contains { $0.identity.pid == pid } }
}

/// A process that has the IPv6 side of a port, beside another that has its IPv4 side. It does nothing but sleep.
func sleeper(beside port: UInt16) async throws -> Child {
    let listener = try Listener("::1", port: port)
    let child = try Child(["/bin/sleep", "1000"], output: listener.descriptor)
    listener.close()
    try await eventually { try PortScanner().use(of: port).holders.count == 2 }
    return child
}

/// Those that have not ended: who reaps an orphan, and when, is the system's business.
func runningProcesses(ofSession session: pid_t) -> [Int32] {
    SystemPorts().allProcesses().filter { pid in
        guard getsid(pid) == session, let text = ProcFile.contents(of: "/proc/\(pid)/stat"),
            let stat = ProcessStat(text)
        else { return false }
        return !stat.hasEnded
    }
}
