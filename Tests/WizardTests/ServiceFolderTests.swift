import Foundation
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

    @Test func aLinkToAFileOfServicesIsThatFile() throws {
        let temporary = TemporaryFolder()
        let real = temporary.path + "/real"
        try FileManager.default.createDirectory(atPath: real, withIntermediateDirectories: true)
        try Data(#"{"services": []}"#.utf8).write(to: URL(fileURLWithPath: real + "/services.json"))
        let link = temporary.path + "/linked.json"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "real/services.json")
        #expect(folder(link) == folder(real + "/services.json"))
        #expect(ServiceController.Configuration(data: real, services: link).folder == real + "/services")
    }
}
