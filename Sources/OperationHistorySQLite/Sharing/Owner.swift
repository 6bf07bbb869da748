#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import OperationTracking

/// A store's sign of life: a locked file in `owners/`, named by the id that stands in the store's active rows.
///
/// An owner is gone exactly when its lock can be taken. Unlike a process id, that holds across containers, and no later
/// process can be mistaken for it. In the file stands where its process ids mean something.
struct Owner: Sendable {
    let id: String
    private let lock: FileLock

    /// Makes a new owner.
    ///
    /// Between the making of the file and the locking of it, another process may take the lock, find the owner gone and
    /// remove the file. So after locking, the path is looked at again, and where it isn't this file any more the whole is
    /// begun again with a new id.
    ///
    /// - Throws: ``SystemFailure``.
    init(in directory: String) throws(SystemFailure) {
        while true {
            let id = Self.randomID()
            let lock = try FileLock(path: Self.path(of: id, in: directory), flags: O_CREAT | O_EXCL)
            do {
                guard try lock.tryLock(.exclusive), lock.isAtItsPath else { continue }
            } catch {
                unlink(lock.path)
                throw error
            }
            lock.contents = ProcessIdentity.space ?? ""
            self.id = id
            self.lock = lock
            return
        }
    }

    /// Removes the sign, so that the owner is gone from now on.
    func leave() {
        unlink(lock.path)
    }

    fileprivate static let suffix = ".lock"

    fileprivate static func path(of id: String, in directory: String) -> String { "\(directory)/\(id)\(suffix)" }

    fileprivate static func isID(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    private static func randomID() -> String {
        let digits =
            String(UInt64.random(in: .min ... .max), radix: 16) + String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}

/// An owner that is gone. While this value lives it holds the owner's lock, so that nobody else clears up after it.
struct GoneOwner: Sendable {
    let id: String
    /// Whether process ids and start times that it has noted mean the same processes here.
    let sharesProcesses: Bool
    /// `nil` when the file is gone too.
    private let lock: FileLock?

    /// `nil` when the owner lives, or when another process is clearing up after it now.
    init?(_ id: String, in directory: String) {
        // Ids come out of rows and become paths.
        guard Owner.isID(id) else { return nil }
        self.id = id
        do {
            let lock = try FileLock(path: Owner.path(of: id, in: directory), flags: 0)
            guard try lock.tryLock(.exclusive) else { return nil }
            self.lock = lock
            sharesProcesses = ProcessIdentity.space.map { $0 == lock.contents } ?? false
        } catch {
            guard error.number == ENOENT else { return nil }
            lock = nil
            sharesProcesses = false
        }
    }

    /// Removes what is left of it. Not while there are active rows of it: whoever clears those up has to know where its process
    /// ids mean something.
    func removeFile() {
        if let lock { unlink(lock.path) }
    }

    /// All owners that have left a file and are gone.
    static func all(in directory: String) -> [GoneOwner] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var owners: [GoneOwner] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: field.pointee)) {
                    String(cString: $0)
                }
            }
            guard name.hasSuffix(Owner.suffix),
                let owner = GoneOwner(String(name.dropLast(Owner.suffix.count)), in: directory)
            else { continue }
            owners.append(owner)
        }
        return owners
    }
}
