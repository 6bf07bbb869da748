import Glibc
import OperationTracking
import Testing

@testable import ServiceControl

@Suite("Processes")
struct ProcessDetailsTests {
    private static func stat(_ name: String) -> [UInt8] {
        Array("42 (\(name)) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 9876 11 12 13\n".utf8)
    }

    @Test(
        "a name may have brackets, blanks, line ends and no text at all",
        arguments: ["sh", "a) S 1 (b", "two words", "line\nend", ""]
    )
    func oddNames(_ name: String) throws {
        let stat = try #require(ProcessStat(Self.stat(name)))
        #expect(stat.name == name)
        #expect(stat.parent == 7)
        #expect(stat.startTime == 9876)
        #expect(!stat.hasEnded)
    }

    @Test("those that may have a name are found by what the system keeps of it, and few others are looked at")
    func candidates() async throws {
        #expect(ProcessDetails.mayBe(named: "sleep", kept: "sleep"))
        #expect(ProcessDetails.mayBe(named: "a-rather-long-name", kept: "a-rather-long-n"))
        #expect(ProcessDetails.mayBe(named: "node", kept: "MainThread"))
        #expect(!ProcessDetails.mayBe(named: "sleeper", kept: "sleep"))
        #expect(!ProcessDetails.mayBe(named: "another-long-name", kept: "a-rather-long-n"))
        let (sleeper, shell) = (try Child(["/bin/sleep", "1000"]), try Child(shell: "read x; :"))
        // A child may be there before it has its program's name.
        try await eventually { SystemPorts().candidates(named: "sleep").contains(sleeper.pid) }
        let found = SystemPorts().candidates(named: "sleep")
        #expect(!found.contains(shell.pid) && !found.contains(getpid()))
    }

    @Test("a text that is cut off is none")
    func cutOff() {
        let text = Self.stat("sh")
        #expect(ProcessStat([]) == nil)
        #expect(ProcessStat(Array(text[..<40])) == nil)
        #expect(ProcessStat(Array(")(".utf8)) == nil)
    }

    @Test("the real and the effective user are told apart")
    func users() throws {
        let users = try #require(ProcessDetails.users(Array("Name:\tsu\nUid:\t1000\t0\t0\t0\nGid:\t0\n".utf8)))
        #expect(users == (1000, 0))
        #expect(ProcessDetails.users(Array("Name:\tUid:\n".utf8)) == nil)
    }

    @Test("a command line has its empty words, and a process without one has no words")
    func commandLine() {
        #expect(ProcessDetails.words(Array("a\0\0b\0".utf8)) == ["a", "", "b"])
        #expect(ProcessDetails.words([]) == [])
    }

    @Test("a name that the system has cut is completed, and a main thread's name isn't the program's")
    func names() {
        let cut = ProcessDetails.name(kept: "a-program-with-", command: ["/opt/a-program-with-a-name"], executable: nil)
        #expect(cut == "a-program-with-a-name")
        let other = ProcessDetails.name(kept: "a-program-with-", command: ["renamed"], executable: nil)
        #expect(other == "a-program-with-")
        let node = ProcessDetails.name(kept: "node-MainThread", command: ["npm", "run"], executable: "/usr/bin/node")
        #expect(node == "node")
    }

    @Test("this process is found as it is")
    func ownProcess() throws {
        let own = try #require(ProcessDetails(pid: getpid()))
        #expect(own.identity == ProcessIdentity(running: getpid()))
        #expect(own.parent == getppid())
        #expect(own.userID == geteuid())
        #expect(own.realUserID == getuid())
        #expect(own.command == CommandLine.arguments)
        #expect(own.supervisor == nil, "what is in this process's own unit is not supervised apart from it")
    }

    @Test("process 1 is a process as well")
    func initProcess() throws {
        #expect(try #require(ProcessDetails(pid: 1)).parent == 0)
    }

    @Test("a number that no process has is none", arguments: [0, -1, Int32.max])
    func noProcess(_ pid: Int32) {
        #expect(ProcessDetails(pid: pid) == nil)
    }
}

@Suite("Processes in sentences")
struct ProcessTextTests {
    @Test("a name makes no line of its own in a sentence")
    func lineEnd() async throws {
        let system = ScriptedPorts { state in
            state.listen(80, inode: 1)
            state.add(50, "web\nPort 80 is free\u{1B}[2J", user: 0, has: [1])
        }
        let use = try PortScanner(system: system).use(of: 80)
        #expect(use.holderText == "web\u{FFFD}Port 80 is free\u{FFFD}[2J (pid 50)")
        guard case .refused(let error) = KillVerdict(use, system) else {
            Issue.record("another user's process may be ended")
            return
        }
        #expect(!error.message.contains("\n") && error.message.contains("(pid 50)"))
    }
}

@Suite("Supervisors")
struct ProcessSupervisorTests {
    private static let id = "0123456789ab" + String(repeating: "c", count: 52)

    private func supervisor(_ groups: String, own: String = "0::/\n") -> ProcessSupervisor? {
        ProcessSupervisor(controlGroups: Array(groups.utf8), own: Array(own.utf8))
    }

    @Test("a unit of systemd is named, from within a group of its own as well")
    func unit() throws {
        let nginx = try #require(supervisor("0::/system.slice/nginx.service\n"))
        #expect(nginx.description == "systemd (nginx.service)")
        #expect(nginx.advice.contains("`systemctl stop nginx.service`"))
        #expect(supervisor("0::/system.slice/nginx.service/worker\n") == nginx)
        #expect(supervisor("1:name=systemd:/system.slice/nginx.service\n0::/\n") == nginx)
    }

    @Test("a user's unit is stopped by that user")
    func userUnit() throws {
        let path = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/ollama.service\n"
        #expect(try #require(supervisor(path)).advice.contains("`systemctl --user stop ollama.service`"))
    }

    @Test(
        "what someone has started in a session is nobody's charge",
        arguments: [
            "0::/user.slice/user-1000.slice/session-3.scope\n",
            "0::/user.slice/user-1000.slice/user@1000.service/init.scope\n",
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-terminal-99.scope\n",
            "0::/user.slice/user-1000.slice/user@1000.service\n",
            "0::/\n", "", "nonsense\n",
        ]
    )
    func session(_ groups: String) {
        #expect(supervisor(groups) == nil)
    }

    @Test("what this process has started is in this process's unit, which doesn't start it again")
    func ownUnit() {
        let groups = "0::/system.slice/wizard.service\n"
        #expect(supervisor(groups, own: groups) == nil)
        #expect(supervisor(groups, own: "0::/system.slice/other.service\n") != nil)
    }

    @Test("containers are named by their engine and the start of their id")
    func containers() throws {
        let docker = try #require(supervisor("0::/system.slice/docker-\(Self.id).scope\n"))
        #expect(docker.description == "docker (0123456789ab)")
        #expect(docker.advice.contains("`docker stop 0123456789ab`"))
        #expect(supervisor("4:memory:/docker/\(Self.id)\n")?.kind == .docker)
        #expect(supervisor("0::/machine.slice/libpod-\(Self.id).scope/container\n")?.kind == .podman)
        #expect(supervisor("0::/kubepods.slice/cri-containerd-\(Self.id).scope\n")?.kind == .containerd)
        #expect(supervisor("0::/kubepods/burstable/pod1/\(Self.id)\n")?.kind == .containerd)
        #expect(supervisor("0::/kubepods.slice/crio-\(Self.id).scope\n")?.kind == .crio)
    }

    @Test(
        "containers of LXC and of systemd are named, whatever runs within",
        arguments: [
            ("0::/lxc.payload.web\n", "lxc (web)"),
            ("0::/lxc.payload.web/system.slice/nginx.service\n", "lxc (web)"),
            ("4:memory:/lxc/100/ns/system.slice/nginx.service\n", "lxc (100)"),
            ("0::/machine.slice/machine-foo.scope\n", "systemd-machined (foo)"),
            ("0::/machine.slice/machine-my\\x2dweb.scope/payload/nginx.service\n", "systemd-machined (my-web)"),
            ("0::/machine.slice/systemd-nspawn@foo.service/payload\n", "systemd-machined (foo)"),
        ]
    )
    func containersByName(_ groups: String, _ name: String) throws {
        let found = try #require(supervisor(groups))
        #expect(found.description == name)
        #expect(found.isOfContainer)
    }

    @Test("a unit within a container is the container's, but for whoever is in there as well")
    func unitWithin() {
        let (group, unit) = ("0::/system.slice/docker-\(Self.id).scope", "/system.slice/nginx.service\n")
        #expect(supervisor(group + unit)?.kind == .docker)
        #expect(supervisor(group + unit, own: group + "\n")?.kind == .systemd)
    }

    @Test("a pid in another namespace within this one is a container's")
    func deeper() {
        let (own, within) = (Array("Uid:\t1\nNSpid:\t42\n".utf8), Array("Uid:\t1\nNSpid:\t43\t1\n".utf8))
        #expect(ProcessSupervisor.isDeeper(within, than: own))
        #expect(!ProcessSupervisor.isDeeper(own, than: own))
        #expect(!ProcessSupervisor.isDeeper(own, than: within))
        #expect(!ProcessSupervisor.isDeeper(within, than: Array("Uid:\t1\n".utf8)))
    }

    @Test("what runs in a pid namespace of its own is ended there, and the answer says which that is")
    func namespace() async throws {
        let listener = try Listener()
        let options = ["--fork", "--kill-child", "--pid"] + (isRoot ? [] : ["--user"])
        let command = ["/usr/bin/unshare"] + options + ["/bin/sleep", "100"]
        guard access(command[0], X_OK) == 0 else { try Test.cancel("LEFT OUT: unshare is not installed") }
        let child = try Child(command, output: listener.descriptor)
        listener.close()
        let holder = { try PortScanner().use(of: listener.port).holders.first { $0.name == "sleep" } }
        try await eventually { try holder() != nil || !SystemProcess.isAlive(child.pid) }
        // Containers and hardened systems forbid it.
        guard SystemProcess.isAlive(child.pid) else { try Test.cancel("LEFT OUT: no pid namespace can be made here") }
        let process = try #require(try holder())
        let link = try #require(ProcessDetails.target(of: "/proc/\(process.identity.pid)/ns/pid"))
        let supervisor = try #require(process.supervisor)
        #expect("pid:[\(supervisor.unit ?? "")]" == link)
        guard case .refused(let error) = KillVerdict(try PortScanner().use(of: listener.port), SystemPorts()) else {
            Issue.record("a container's process may be ended")
            return
        }
        #expect(error.code == .supervised && error.message.contains(supervisor.description))
        withExtendedLifetime(child) {}
    }

    @Test("within the same container there is no supervisor to be seen")
    func sameContainer() {
        let groups = "0::/system.slice/docker-\(Self.id).scope\n"
        #expect(supervisor(groups, own: groups) == nil)
    }

    @Test("a container's proxy is known by its name, and names the container's address")
    func proxy() throws {
        let command = [
            "/usr/bin/docker-proxy", "-proto", "tcp", "-container-ip", "172.17.0.2", "-container-port", "80",
        ]
        let proxy = try #require(ProcessSupervisor(proxy: "docker-proxy", command: command))
        #expect(proxy.isProxy)
        #expect(proxy.kind == .docker)
        #expect(proxy.advice.contains("172.17.0.2"))
        #expect(ProcessSupervisor(proxy: "python3", command: command) == nil)
    }
}
