import CProcess
import Glibc
import OperationTracking
import OperationTrackingTesting
import Synchronization
// For all files of the module.
@_exported public import TestSupport
import Testing

@testable import ServiceControl

/// A listening socket of the test's own, closed when it goes.
final class Listener: Sendable {
    let descriptor: Int32
    let port: UInt16
    private let isClosed = Atomic(false)

    /// - Parameters:
    ///   - address: where it listens.
    ///   - port: where; 0 for any free port.
    ///   - takesIPv4: whether an IPv6 socket also takes IPv4.
    ///   - sharesPort: whether others may listen on the port (`SO_REUSEPORT`).
    init(_ address: String = "127.0.0.1", port: UInt16 = 0, takesIPv4: Bool = false, sharesPort: Bool = false) throws {
        let isIPv6 = address.contains(":")
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        self.descriptor = descriptor
        // Not for the children of other tests.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var on: Int32 = 1
        if sharesPort { setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, 4) }
        if isIPv6 {
            var only: Int32 = takesIPv4 ? 0 : 1
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &only, 4)
        }
        var storage = Self.address(address, port: port)
        let size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, isIPv6 ? socklen_t(MemoryLayout<sockaddr_in6>.size) : 16)
            }
        }
        try #require(result == 0 && listen(descriptor, 16) == 0)
        var name = sockaddr_storage()
        var length = size
        _ = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        self.port = withUnsafeBytes(of: name) {
            UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }

    deinit {
        close()
    }

    /// Closes it, once: a second time the number might be that of something else by then.
    func close() {
        if !isClosed.exchange(true, ordering: .relaxed) { Glibc.close(descriptor) }
    }

    /// The number by which the system knows the socket.
    var inode: UInt64 {
        var status = stat()
        fstat(descriptor, &status)
        return UInt64(status.st_ino)
    }

    /// Takes the next connection.
    func accept() -> Connection { Connection(descriptor: Glibc.accept(descriptor, nil, nil)) }

    static func address(_ text: String, port: UInt16) -> sockaddr_storage {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { bytes in
            if text.contains(":") {
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                inet_pton(AF_INET6, text, &address.sin6_addr)
                bytes.storeBytes(of: address, as: sockaddr_in6.self)
            } else {
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                inet_pton(AF_INET, text, &address.sin_addr)
                bytes.storeBytes(of: address, as: sockaddr_in.self)
            }
        }
        return storage
    }
}

/// One end of a connection, closed when it goes.
final class Connection: Sendable {
    let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    init(to address: String, port: UInt16) throws {
        descriptor = socket(address.contains(":") ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var storage = Listener.address(address, port: port)
        let result = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, address.contains(":") ? socklen_t(MemoryLayout<sockaddr_in6>.size) : 16)
            }
        }
        try #require(result == 0)
    }

    deinit {
        close(descriptor)
    }
}

/// A process that a test starts, in a session of its own, and ends when it goes. Only its own session is ever signalled.
final class Child: Sendable {
    let pid: pid_t
    private let isReaped = Atomic(false)

    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - output: a descriptor that becomes its standard output and error.
    init(_ command: [String], output: Int32 = 2) throws {
        var pid: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        let error = cprocess_spawn(&pid, command[0], &arguments, environ, nil, output)
        try #require(error == 0, "\(command[0]): \(String(cString: strerror(error)))")
        self.pid = pid
    }

    /// Runs a script of the shell.
    convenience init(shell script: String, output: Int32 = 2) throws {
        try self.init(["/bin/sh", "-c", script], output: output)
    }

    deinit {
        reap()
    }

    /// Ends it, so that its number is free; once, since afterwards that may be another process's.
    func reap() {
        guard !isReaped.exchange(true, ordering: .relaxed) else { return }
        kill(-pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// Waits until it has ended.
    func end() async {
        var info = siginfo_t()
        repeat {
            info = siginfo_t()
            waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT)
            await briefPause()
        } while info.si_signo == 0
    }
}

extension StartedRecord {
    /// Of a process that runs since this start of the system, and that a test says is a service's.
    init(process: ProcessIdentity, deadline: Int64? = nil) {
        self.init(
            pid: process.pid,
            startTime: process.startTime,
            space: ProcessIdentity.space,
            deadline: deadline
        )
    }
}

/// The Python that children are written in.
enum Python {
    /// Debian's own rather than a version manager's shim, which other users can't run.
    static let path: String? = (["/usr/bin"] + folders).map { $0 + "/python3" }.first { access($0, X_OK) == 0 }

    private static var folders: [String] {
        (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").map(String.init)
    }

    static let whenMissing: Comment = "LEFT OUT: python3 is not installed"
}

let isRoot = geteuid() == 0

/// A folder that goes when the test does.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/service-control-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
    }

    deinit {
        removeFolder(path)
    }
}

private func removeFolder(_ path: String) {
    guard let folder = opendir(path) else { return }
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name == "." || name == ".." { continue }
        if unlink(path + "/" + name) != 0 { removeFolder(path + "/" + name) }
    }
    closedir(folder)
    rmdir(path)
}
