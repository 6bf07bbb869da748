#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A web server in Python that has a port, in a session of its own, ended when it goes.
public final class PythonServer: Sendable {
    /// Its process.
    public let pid: Int32

    /// Debian's own Python rather than a version manager's shim.
    public static let program = "/usr/bin/python3"
    /// Whether there is one.
    public static let isThere = access(program, X_OK) == 0

    /// Starts it; it may take some time until it listens.
    /// - Parameters:
    ///   - port: where it listens.
    ///   - address: and of which address.
    ///   - program: Python, or a link to it, by whose name it then is known.
    /// - Throws: ``NotStarted``.
    public init(port: Int, of address: String = "127.0.0.1", program: String = PythonServer.program) throws {
        let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(null) }
        pid = try spawn(
            [program, "-m", "http.server", "\(port)", "--bind", address],
            output: null,
            errors: null,
            leading: .session
        )
    }

    deinit {
        kill(-pid, SIGKILL)
        waitpid(pid, nil, 0)
    }
}
