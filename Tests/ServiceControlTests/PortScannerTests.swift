import Glibc
import OperationTracking
import Testing

@testable import ServiceControl

/// A child that another test starts in some moment has a copy of a listener until it runs its program: who the holders are is waited
/// for.
@Suite("Who listens on a port")
struct PortScannerTests {
    private let scanner = PortScanner()

    @Test("a socket on loopback is found, and this process as its holder")
    func ipv4() async throws {
        let listener = try Listener()
        let own = ProcessIdentity(running: getpid())
        try await eventually("it is the only holder") {
            try scanner.use(of: listener.port).holders.map(\.identity) == [own]
        }
        let use = try scanner.use(of: listener.port)
        #expect(use.sockets.map(\.inode) == [listener.inode])
        #expect(use.sockets.map(\.address) == [IPAddress("127.0.0.1")])
        #expect(use.sockets.map(\.userID) == [geteuid()])
        #expect(use.holders.contains { $0.identity == own })
        #expect(use.unattributed.isEmpty)
    }

    @Test("a port that nobody listens on is free", arguments: [false, true])
    func free(_ wasUsed: Bool) async throws {
        let port = try wasUsed ? Listener().port : freePort()
        try await eventually("it is free") { try scanner.use(of: port).isFree }
        try await eventually("it is listed as free") { try scanner.uses(of: [port]) == [PortUse(port: port)] }
    }

    @Test("a holder is named in one line, whatever it calls itself")
    func oneLine() {
        var use = PortUse(port: 1)
        let identity = ProcessIdentity(pid: 4711, startTime: 1)
        use.holders = [ProcessDetails(identity: identity, parent: 1, name: "a\nb\u{1B}", userID: 0, realUserID: 0)]
        #expect(use.holderText == "a\u{FFFD}b\u{FFFD} (pid 4711)")
    }

    @Test("an IPv6 socket alone and one for both kinds are told apart")
    func ipv6() throws {
        let only = try Listener("::1")
        let both = try Listener("::", takesIPv4: true)
        #expect(try scanner.use(of: only.port).sockets.map(\.isIPv6Only) == [true])
        let use = try scanner.use(of: both.port)
        #expect(use.sockets.map(\.isIPv6Only) == [false])
        #expect(use.sockets.first?.address.isWildcard == true)
    }

    @Test("sockets for IPv4 and for IPv6 on one port are both found")
    func bothFamilies() async throws {
        let first = try Listener("0.0.0.0")
        let second = try Listener("::", port: first.port)
        #expect(try Set(scanner.use(of: first.port).sockets.map(\.inode)) == [first.inode, second.inode])
        try await eventually("both have one holder") { try scanner.use(of: first.port).holders.count == 1 }
    }

    @Test("workers that share a port by SO_REUSEPORT have a socket each")
    func reusedPort() throws {
        let first = try Listener(sharesPort: true)
        let second = try Listener(port: first.port, sharesPort: true)
        #expect(try Set(scanner.use(of: first.port).sockets.map(\.inode)) == [first.inode, second.inode])
    }

    @Test("a child that has inherited the socket holds it as well, and alone when its parent has closed it")
    func inherited() async throws {
        var listener: Listener? = try Listener()
        let port = try #require(listener?.port)
        let child = try Child(["/bin/sleep", "1000"], output: try #require(listener?.descriptor))
        try await eventually("both hold it") {
            try Set(scanner.use(of: port).holders.map(\.identity.pid)) == [getpid(), child.pid]
        }
        listener = nil
        try await eventually { try scanner.use(of: port).holders.map(\.identity.pid) == [child.pid] }
        // Before the exec it goes by this process's name.
        try await eventually { try scanner.use(of: port).holders.first?.name == "sleep" }
        #expect(try scanner.use(of: port).holders.first?.command == ["/bin/sleep", "1000"])
    }

    @Test("forked workers that share one socket are all holders of it")
    func forkedWorkers() async throws {
        let listener = try Listener()
        let child = try Child(shell: "sleep 1000 & sleep 1000 & wait", output: listener.descriptor)
        try await eventually("all hold it") {
            let holders = try scanner.use(of: listener.port).holders
            return holders.count == 4 && holders.filter { $0.parent == child.pid }.count == 2
        }
        #expect(try scanner.use(of: listener.port).sockets.count == 1)
    }

    @Test("several ports are looked up in one go, in order, the free ones included")
    func severalPorts() throws {
        let listeners = try [Listener(), Listener("::1"), Listener("0.0.0.0")]
        let ports = Set(listeners.map(\.port))
        let uses = try scanner.uses(of: ports.union([1]))
        #expect(uses.map(\.port) == [1] + ports.sorted())
        #expect(uses.dropFirst().allSatisfy { !$0.holders.isEmpty })
        #expect(try Set(scanner.uses().map(\.port)).isSuperset(of: ports))
    }

    @Test("without sock_diag the files of /proc say the same")
    func files() throws {
        let listeners = try [Listener(), Listener("::1"), Listener("::", takesIPv4: true)]
        for listener in listeners {
            var asked = try scanner.use(of: listener.port).sockets
            for index in asked.indices { asked[index].isIPv6Only = nil }
            #expect(try SystemPorts.fromFiles(port: listener.port) == asked)
        }
    }

    @Test("a socket whose process the system doesn't show is named with its user")
    func hiddenHolder() throws {
        let system = ScriptedPorts()
        let socket = ListeningSocket(address: try #require(IPAddress("0.0.0.0")), port: 80, userID: 33, inode: 7)
        system.change { $0.sockets = [socket] }
        let use = try PortScanner(system: system).use(of: 80)
        #expect(use.holders.isEmpty)
        #expect(use.unattributed == [socket])
    }

    @Test("a process that has gone between the scan and the look is no holder")
    func goneHolder() throws {
        let system = ScriptedPorts()
        let socket = ListeningSocket(address: try #require(IPAddress("0.0.0.0")), port: 80, userID: 33, inode: 7)
        system.change {
            $0.sockets = [socket]
            $0.holders = [99: [7]]
        }
        let use = try PortScanner(system: system).use(of: 80)
        #expect(use.holders.isEmpty)
        #expect(use.unattributed == [socket])
    }

    @Test("a socket that was closed between the look for sockets and the look for holders is not somebody's")
    func closedBetweenLooks() throws {
        let system = ScriptedPorts { $0.listen(80, inode: 7) }
        system.change { $0.onHolders = { state in state.sockets = [] } }
        #expect(try PortScanner(system: system).use(of: 80).isFree)
    }
}
