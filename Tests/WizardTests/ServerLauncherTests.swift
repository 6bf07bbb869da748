import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@testable import Wizard

struct ServerLauncherTests {
    private static let isThere = access("/dev/full", W_OK) == 0

    @Test(
        .enabled(if: isThere, "LEFT OUT: there is no /dev/full"),
        arguments: [("/dev/full", true), ("/dev/null", false)]
    )
    func whoCouldPrintNothingIsNotSaidToHaveHadNothingToSay(_ device: String, _ isFull: Bool) throws {
        let output = open(device, O_WRONLY | O_CLOEXEC)
        try #require(output >= 0)
        defer { close(output) }
        let said = ServerLauncher.said(ServerLog.file(in: "/nonexistent"), from: 0, output)
        #expect(said.contains("/nonexistent/server.log") == isFull && said.contains("room on the disk") == isFull)
    }
}
