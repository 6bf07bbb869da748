import Glibc
import Testing

@testable import ServiceControl

@Suite("The lock of a service")
struct ServiceLockTests {
    @Test("whoever lets go of it has done so, also while a child that is being started has a copy of it")
    func copy() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/web.lock"
        let lock = try #require(try ServiceLock(path, of: "web"))
        // As a child of another thread has between fork and exec.
        let copy = dup(lock.descriptor)
        defer { close(copy) }
        lock.release()
        let next = try ServiceLock(path, of: "web")
        next?.release()
        #expect(next != nil)
    }
}
