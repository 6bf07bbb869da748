import OperationTracking
import Testing

@testable import ServiceControl

@Suite("Names of processes")
struct ProcessNameTests {
    private func process(_ name: String, _ command: [String] = []) -> ProcessDetails {
        ProcessDetails(
            identity: ProcessIdentity(pid: 50, startTime: 1),
            parent: 1,
            name: name,
            command: command,
            userID: 0,
            realUserID: 0
        )
    }

    @Test(
        "the programs of one family stand for each other",
        arguments: [
            ("python", "python3.11"), ("python3", "python"), ("python3.12", "Python"), ("node", "npm"), ("npm", "node"),
            ("pnpm", "yarn"), ("yarn", "nodejs"), ("tauri", "cargo"), ("tauri", "node"), ("tauri", "tauri"),
            ("wizard", "wizard"),
        ]
    )
    func accepted(_ expected: String, _ actual: String) {
        #expect(process(actual).isNamed(expected))
    }

    @Test(
        "others don't",
        arguments: [
            ("python", "pythonista"), ("node", "nodemon"), ("node", "python3"), ("tauri", "npm"), ("cargo", "node"),
            ("wizard", "wizard2"), ("", "sh"),
        ]
    )
    func refused(_ expected: String, _ actual: String) {
        #expect(!process(actual).isNamed(expected))
    }

    @Test("a script goes by its own name as well as by its interpreter's, and any will do where none is expected")
    func scripts() {
        let server = process("python3", ["/usr/bin/python3", "-u", "/opt/bin/uvicorn", "app:main"])
        #expect(server.isNamed("uvicorn"))
        #expect(server.isNamed("python"))
        #expect(server.isNamed(nil))
        #expect(!server.isNamed("app:main"))
    }
}
