import ServiceControl
import Testing

@testable import Wizard

struct ServiceFolderTests {
    private func folder(_ file: String?) -> String {
        ServiceController.Configuration(data: "/usr/lib", services: file).folder
    }

    @Test func eachFileOfServicesHasItsOwnLogsAndRecords() {
        #expect(folder(nil) == "/usr/lib/services")
        #expect(folder("/usr/lib/services.json") == "/usr/lib/services")
        #expect(folder("/usr/./lib/services.json") == "/usr/lib/services")
        let others = ["/usr/services.json", "/usr/other.json", "/other.json"].map(folder)
        #expect(others.allSatisfy { $0.hasPrefix("/usr/lib/services-") } && Set(others).count == 3)
        #expect(others[1].hasPrefix("/usr/lib/services-other-"))
        // The next program has to find it.
        #expect(folder("/usr/share/../other.json") == others[1])
    }
}
