import CProcess

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A program that could not be started.
public struct NotStarted: Error, CustomStringConvertible {
    /// Which, and why not.
    public let description: String
}

/// What a program that is started leads, beside itself.
public enum Leadership: Sendable {
    case nothing
    case group
    case session
}

/// Starts a program, which has none of this process's descriptors but the three.
///
/// By `posix_spawn`, since several threads do this at a time, which Foundation's `Process` doesn't always survive. A child has the
/// signal mask of the thread that starts it, and those of the pool block signals: this one's is empty.
///
/// - Parameters:
///   - command: the program's path and its arguments.
///   - environment: its variables; `nil` for this process's own.
///   - input: what its standard input is; `nil` for this process's own, as for the other two.
///   - leading: what it leads.
///   - passesOn: whether it has whatever else is open here without close-on-exec, as where a program takes no care.
/// - Returns: its process id. It is to be waited for.
/// - Throws: ``NotStarted``.
public func spawn(
    _ command: [String],
    environment: [String: String]? = nil,
    input: Int32? = nil,
    output: Int32? = nil,
    errors: Int32? = nil,
    leading: Leadership = .nothing,
    passesOn: Bool = false
) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for case (let from?, let to) in [(input, 0), (output, 1), (errors, 2)] as [(Int32?, Int32)] {
        posix_spawn_file_actions_adddup2(&actions, from, to)
    }
    #if canImport(Glibc)
    // Foundation opens a file that it writes without close-on-exec: a program that is started in this moment would hold it as long
    // as it lives, and what is written as a program could not be executed ("Text file busy").
    if !passesOn { posix_spawn_file_actions_addclosefrom_np(&actions, 3) }
    #endif
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    let place: Int32 =
        switch leading {
        case .nothing: 0
        case .group: Int32(POSIX_SPAWN_SETPGROUP)
        case .session: Int32(POSIX_SPAWN_SETSID)
        }
    posix_spawnattr_setflags(&attributes, Int16(place | Int32(POSIX_SPAWN_SETSIGMASK)))
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = (environment ?? [:]).map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid = pid_t()
    let code =
        environment == nil
        ? posix_spawn(&pid, command[0], &actions, &attributes, &arguments, environ)
        : posix_spawn(&pid, command[0], &actions, &attributes, &arguments, &variables)
    guard code == 0 else {
        throw NotStarted(description: "can't start \(command[0]): \(String(cString: strerror(code)))")
    }
    return pid
}
