import Foundation
import OllamaOperations
import OperationTracking
import TestSupport
import Testing

@testable import Wizard

struct ServeConfigurationTests {
    private func taken(_ json: String) throws -> ServeConfiguration {
        try ServeConfiguration(json: Data(json.utf8), of: "a file")
    }

    @Test func whereItListensAndWhoMayAsk() throws {
        let taken = try taken(
            """
            {"host": "::1", "port": 0, "token_file": "/run/token", "trust_local_user": false,
             "allowed_hosts": ["Wizard.example.org"], "allowed_origins": ["https://example.org:8443"]}
            """
        )
        #expect(taken.file == "a file" && taken.host == "::1" && taken.port == 0 && taken.tokenFile == "/run/token")
        #expect(!taken.trustsLocalUser)
        #expect(taken.allowedHosts == ["wizard.example.org"])
        #expect(taken.allowedOrigins == ["https://example.org:8443"])
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aPipeIsNoConfigurationAndNotWaitedFor() throws {
        let path = NSTemporaryDirectory() + "configuration-" + UUID().uuidString
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let error = #expect(throws: UsageError.self) { try ServeConfiguration(file: path) }
        #expect(error?.message.contains("has to be a file") == true)
    }

    @Test func providersAndWhatHTTPMayStart() throws {
        let taken = try taken(
            """
            {"enabled_providers": ["ollama", "process"], "http_may_start": ["process"],
             "providers": {"ollama": {"url": "http://127.0.0.1:1"}}}
            """
        )
        #expect(taken.enabledProviders == [.ollama, .process] && taken.namesProviders)
        #expect(taken.startedOverHTTP == [OperationType("process")])
        #expect(taken.ollama?.url == "http://127.0.0.1:1")
    }

    @Test func loadQueueAndBandwidth() throws {
        let taken = try taken(
            """
            {"overload": {"cpu_percent": null, "memory_mb": 100, "host_cpu_percent": 95, "minimum_available_memory_mb": 1.5,
              "memory_pressure_percent": 7, "minimum_disk_mb": null, "adapts": true, "new_work": "wait"},
             "queue": {"maximum_running": 2, "maximum_queued": 0, "maximum_running_by_type": {"process": 1}},
             "bandwidth_limit_mbps": 80}
            """
        )
        #expect(taken.overload.cpuPercent == nil && taken.overload.minimumDiskBytes == nil)
        #expect(taken.overload.memoryBytes == 100 << 20 && taken.overload.minimumAvailableMemoryBytes == 3 << 19)
        #expect(taken.overload.hostCPUPercent == 95 && taken.overload.memoryPressurePercent == 7)
        #expect(taken.adaptsOverload && taken.whenOverloaded == .wait)
        #expect(taken.maximumRunning == 2 && taken.maximumQueued == 0)
        #expect(taken.maximumRunningByType == [OperationType("process"): 1])
        #expect(taken.bandwidthLimit == 10_000_000)
    }

    @Test func retentionLimitsAndServices() throws {
        let taken = try taken(
            """
            {"retention": {"days": 10, "operations": 1000},
             "limits": {"connections": 5, "connections_per_address": 4, "streams": 3, "body_bytes": 2048,
              "request_timeout_seconds": 1.5},
             "services": {"file": "/etc/services.json", "monitor_seconds": 30, "start_timeout_seconds": 2, "grace_seconds": 0,
              "registered_commands": true}}
            """
        )
        #expect(taken.retention.maximumAge == .seconds(864_000) && taken.retention.maximumCount == 1000)
        #expect(taken.maximumConnections == 5 && taken.maximumConnectionsPerAddress == 4 && taken.maximumStreams == 3)
        #expect(taken.maximumBodyBytes == 2048 && taken.requestTimeout == .milliseconds(1500))
        #expect(taken.services.file == "/etc/services.json" && taken.services.monitorInterval == .seconds(30))
        #expect(taken.services.startTimeout == .seconds(2) && taken.services.grace == .zero)
        #expect(taken.services.runsRegisteredCommands)
    }

    @Test func whatIsNotSaidStaysAsItIs() throws {
        let (taken, usual) = (try taken("{}"), ServeConfiguration())
        #expect(taken.host == usual.host && taken.port == 8765 && taken.enabledProviders == ProviderName.usual)
        #expect(!taken.namesProviders && taken.startedOverHTTP == nil && taken.bandwidthLimit == nil)
        #expect(taken.overload == usual.overload && taken.retention == usual.retention)
    }
}
