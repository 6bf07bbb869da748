#if os(Linux)
import Testing

@testable import OperationTracking

struct ResourceControlGroupTests {
    private func mount(_ text: String) -> ControlGroup.Mount? {
        ControlGroup.mount(inMountInfo: Array(text.utf8))
    }

    @Test func theMountIsTheOneOfVersionTwo() {
        let text = """
            22 1 0:20 / /proc rw shared:5 - proc proc rw
            33 31 0:30 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
            30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 master:1 - cgroup2 cgroup2 rw,nsdelegate
            """
        #expect(mount(text) == ControlGroup.Mount(root: "/", folder: "/sys/fs/cgroup"))
    }

    @Test func aMountPointsBlanksAreWrittenInOctal() {
        let text = #"30 24 0:26 /a\134b /my\040groups rw - cgroup2 none rw"#
        #expect(mount(text) == ControlGroup.Mount(root: #"/a\b"#, folder: "/my groups"))
    }

    @Test(arguments: ["", "\n", "30 24 0:26 / /sys", "1 2 3 / /x rw - ", "1 2 3 / /x rw -", "1 2 3 / /x rw cgroup2"])
    func withoutSuchAMountThereIsNone(text: String) {
        #expect(mount(text) == nil)
    }

    @Test func theGroupIsTheLineOfHierarchyZero() {
        let text = "4:memory:/other\n0::/user.slice/a b.service\n"
        #expect(ControlGroup.group(inSelfCgroup: Array(text.utf8)) == "/user.slice/a b.service")
        #expect(ControlGroup.group(inSelfCgroup: Array("4:memory:/other\n".utf8)) == nil)
    }

    @Test(arguments: [
        ("/a/b", "/", "/sys/fs/cgroup", ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]),
        ("/", "/", "/sys/fs/cgroup", ["/sys/fs/cgroup"]),
        // A container with the host's view of groups, which mounts its own group only.
        ("/docker/1/x", "/docker/1", "/sys/fs/cgroup", ["/sys/fs/cgroup/x", "/sys/fs/cgroup"]),
        // Outside of what the mount shows.
        ("/other", "/docker/1", "/sys/fs/cgroup", ["/sys/fs/cgroup"]),
        ("/../up", "/", "/sys/fs/cgroup", ["/sys/fs/cgroup"]),
    ])
    func theFoldersAreTheGroupsAndThoseAroundIt(group: String, root: String, folder: String, expected: [String]) {
        #expect(ControlGroup.folders(of: group, in: ControlGroup.Mount(root: root, folder: folder)) == expected)
    }

    @Test(
        arguments: [
            ("max 100000\n", nil), ("150000 100000\n", 1.5), ("50000 100000", 0.5), ("0 100000", nil),
            ("100000 0", nil),
            ("100000", nil), ("", nil),
        ] as [(String, Double?)]
    )
    func aQuotaIsSoManyCores(text: String, cores: Double?) {
        #expect(parsed(text, ControlGroup.cores) == cores)
    }

    @Test(arguments: [("max\n", nil), ("536870912\n", 536_870_912), ("", nil)] as [(String, Int64?)])
    func aLimitIsBytes(text: String, bytes: Int64?) {
        #expect(parsed(text, ControlGroup.byteCount) == bytes)
    }

    @Test func cachesNotInUseCanGo() {
        let text = "anon 5\nfile 900\nactive_file 100\ninactive_file 800\n"
        #expect(parsed(text, ControlGroup.reclaimableBytes) == 800)
        #expect(parsed("anon 5\n", ControlGroup.reclaimableBytes) == nil)
    }

    @Test func theStrictestLimitCountsWhereverItIsSet() {
        let limits = ControlGroup.limits([
            ControlGroup.Level(cores: nil, memoryLimit: 1000, memoryCurrent: 300, memoryReclaimable: 100),
            ControlGroup.Level(cores: 1.5),
            ControlGroup.Level(cores: 4, memoryLimit: 2000, memoryCurrent: 1900, memoryReclaimable: 0),
        ])
        let expected = ContainerLimits(
            cores: 1.5,
            memoryLimitBytes: 1000,
            memoryCurrentBytes: 300,
            memoryAvailableBytes: 100
        )
        #expect(limits == expected)
    }

    @Test func withoutAnyLimitThereIsNoContainer() {
        #expect(ControlGroup.limits([ControlGroup.Level(), ControlGroup.Level()]) == nil)
        #expect(ControlGroup.limits([]) == nil)
    }
}
#endif
