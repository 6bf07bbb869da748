import OperationTracking

extension PortUse {
    /// Who holds it, all of them, as words of a sentence: `nginx (pid 50) with 3 children and node (pid 60)`.
    public var holderText: String {
        let users = Set(unattributed.map(\.userID)).sorted().map { "a process of \(UserName.described($0))" }
        return (holders.texts + users).joined(by: " and ")
    }

    /// Its ``holders`` but those that another of them has forked, which end with that one.
    public var heads: [ProcessDetails] { holders.heads }
}

extension PortUse {
    /// Where a program on this machine reaches who listens, as the host of a URL; `nil` where nobody does.
    var localHost: String? {
        let hosts = sockets.map(\.localHost)
        return ["127.0.0.1", "[::1]"].first(where: hosts.contains) ?? hosts.first
    }
}

extension ListeningSocket {
    fileprivate var localHost: String {
        if address.isWildcard { return isIPv6Only == true ? "[::1]" : "127.0.0.1" }
        let address = address.mappedIPv4 ?? address
        return address.isIPv6 ? "[\(address)]" : "\(address)"
    }
}

extension ProcessDetails {
    /// Its name and pid as words of a sentence. A name may hold anything, such as a line end that would make two sentences of one.
    package var text: String { "\(name.shown) (pid \(identity.pid))" }
}

extension [ProcessDetails] {
    /// Those that none of the others has forked. The others go with them.
    var heads: [ProcessDetails] {
        let pids = Set(map(\.identity.pid))
        return filter { !pids.contains($0.parent) }
    }

    /// Each of the ``heads``, with what watches over it.
    var texts: [String] {
        heads.map { head in
            let children = count(below: head)
            let family = children == 0 ? "" : " with \(children) \(children == 1 ? "child" : "children")"
            let supervisor = head.supervisor.map { ", of \($0)" } ?? ""
            return "\(head.text)\(family)\(supervisor)"
        }
    }

    private func count(below head: ProcessDetails) -> Int {
        var found: Set = [head.identity.pid]
        var last = 0
        while found.count > last {
            last = found.count
            for process in self where found.contains(process.parent) { found.insert(process.identity.pid) }
        }
        return found.count - 1
    }
}

extension [String] {
    /// `a, b and c`.
    func joined(by last: String) -> String {
        count < 2 ? first ?? "" : dropLast().joined(separator: ", ") + last + self[count - 1]
    }
}
