import Foundation
import OperationHTTP
import OperationTracking
import OperationTrackingTesting
import ServiceControl
import ServiceControlHTTP
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// An API with a registry of the test's own, asked by a trusted local user.
final class ServiceAPIFixture: Sendable {
    let folder = FileManager.default.temporaryDirectory.path + "/service-http-" + UUID().uuidString
    let history = InMemoryHistoryStore()
    let tracker: OperationTracker
    let services: ServiceController
    let api: OperationAPI

    /// - Parameter registry: the list of services, as JSON.
    init(
        _ registry: String,
        configure: (inout ServiceController.Configuration) -> Void = { _ in }
    ) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/services.json"
        try Data(#"{"services": \#(registry)}"#.utf8).write(to: URL(fileURLWithPath: path))
        tracker = OperationTracker(history: history)
        var configuration = ServiceController.Configuration(folder: folder + "/services")
        configuration.settleTime = .milliseconds(50)
        // What a test means to see a time limit for, it sets itself; no other is to be cut short on a busy machine.
        configuration.startTimeout = .seconds(600)
        configuration.stopTimeout = .seconds(600)
        configuration.healthTimeout = .seconds(60)
        configuration.grace = .seconds(60)
        configure(&configuration)
        services = ServiceController(
            registry: try ServiceRegistry(path: path),
            tracker: tracker,
            audit: history,
            configuration: configuration
        )
        api = OperationAPI(tracker: tracker, services: services)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    func ask(_ method: String, _ target: String, json: String? = nil, isSameUser: Bool = true) async -> APIResponse {
        var request = APIRequest(
            method: method,
            target: target,
            headers: [APIHeader("Host", "127.0.0.1:8765")],
            caller: APICaller(isSameUser: isSameUser, address: "127.0.0.1")
        )
        if let json {
            request.headers.append(APIHeader("Content-Type", "application/json"))
            request.body = Array(json.utf8)
        }
        return await api.respond(to: request)
    }

    /// What the audit log has, oldest first.
    func noted() async throws -> [AuditEntry] {
        try await history.auditEntries(cursor: nil, limit: 1000).entries.reversed()
    }
}

extension APIResponse {
    var bytes: [UInt8] {
        if case .bytes(let bytes) = body { bytes } else { [] }
    }

    /// The body as JSON; `null` when it isn't any.
    var json: JSONValue { (try? JSONReader.read(bytes)) ?? .null }

    var code: String? { json["code"]?.text }
    var detail: String { json["detail"]?.text ?? "" }
}

extension JSONValue {
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var number: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }

    var truth: Bool? {
        if case .bool(let truth) = self { truth } else { nil }
    }

    var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }

    var keys: [String] {
        if case .object(let members) = self { members.map(\.key) } else { [] }
    }
}

/// A listening socket of the test's own, closed when it goes.
final class Listener: Sendable {
    private let descriptor: Int32
    let port: UInt16

    init() throws {
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        self.descriptor = descriptor
        // Not for the children of other tests.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, address, &size) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(isListening)
    }

    deinit {
        close(descriptor)
    }
}

extension PythonServer {
    static let whenMissing: Comment = "LEFT OUT: /usr/bin/python3 is not installed"

    func waitUntilItListens(on port: Int) async throws {
        try await eventually("a listener") {
            try PortScanner().use(of: UInt16(port)).holders.contains { $0.identity.pid == pid }
        }
    }
}
