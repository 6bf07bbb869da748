// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "OperationTracking",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "OperationTracking", targets: ["OperationTracking"]),
        .library(name: "OperationHistorySQLite", targets: ["OperationHistorySQLite"]),
        .library(name: "OperationTransfer", targets: ["OperationTransfer"]),
        .library(name: "OllamaOperations", targets: ["OllamaOperations"]),
        .library(name: "NounProjectOperations", targets: ["NounProjectOperations"]),
        .library(name: "OperationHTTP", targets: ["OperationHTTP"]),
        .library(name: "ProcessOperations", targets: ["ProcessOperations"]),
        .library(name: "OKGatewayOperations", targets: ["OKGatewayOperations"]),
        .library(name: "ServiceControl", targets: ["ServiceControl"]),
        .library(name: "ServiceControlHTTP", targets: ["ServiceControlHTTP"]),
        .library(name: "OperationServer", targets: ["OperationServer"]),
        .library(name: "OperationDashboard", targets: ["OperationDashboard"]),
        .library(name: "OperationTrackingTesting", targets: ["OperationTrackingTesting"]),
        .executable(name: "wizard", targets: ["Wizard"]),
        .executable(name: "custom-provider", targets: ["CustomProvider"]),
    ],
    targets: [
        // C libraries, each behind one module of ours.
        .systemLibrary(
            name: "CSQLite",
            pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]
        ),
        .systemLibrary(
            name: "CCurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]
        ),
        .systemLibrary(
            name: "CMicroHTTPD",
            pkgConfig: "libmicrohttpd",
            providers: [.apt(["libmicrohttpd-dev"]), .brew(["libmicrohttpd"])]
        ),
        .systemLibrary(
            name: "CCrypto",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        .systemLibrary(name: "CProcess"),
        .systemLibrary(name: "CSockDiag"),

        // The library.
        .target(name: "OperationTracking", dependencies: ["CProcess"]),
        .target(name: "OperationHistorySQLite", dependencies: ["OperationTracking", "CSQLite"]),
        .target(
            name: "OperationTransfer",
            dependencies: [
                "OperationTracking", "CCurl", .target(name: "CCrypto", condition: .when(platforms: [.linux])),
            ]
        ),
        .target(name: "OllamaOperations", dependencies: ["OperationTracking", "OperationTransfer"]),
        .target(
            name: "NounProjectOperations",
            dependencies: [
                "OperationTracking", "OperationTransfer",
                .target(name: "CCrypto", condition: .when(platforms: [.linux])),
            ]
        ),
        .target(name: "ProcessOperations", dependencies: ["OperationTracking", "CProcess"]),
        .target(
            name: "OKGatewayOperations",
            dependencies: ["OperationTracking", "OllamaOperations", "ProcessOperations", "CProcess"]
        ),
        .target(
            name: "ServiceControl",
            dependencies: ["OperationTracking", "OperationTransfer", "ProcessOperations", "CProcess", "CSockDiag"]
        ),
        .target(name: "OperationHTTP", dependencies: ["OperationTracking"]),
        .target(name: "ServiceControlHTTP", dependencies: ["OperationTracking", "OperationHTTP", "ServiceControl"]),
        .target(
            name: "OperationServer",
            dependencies: ["OperationTracking", "OperationHTTP", "ServiceControl", "CMicroHTTPD"]
        ),
        .target(
            name: "OperationDashboard",
            dependencies: ["OperationHTTP"],
            resources: [.embedInCode("Page")]
        ),
        .target(name: "OperationTrackingTesting", dependencies: ["OperationTracking"]),

        // The reference service, and what it demonstrates itself against.
        .target(name: "OllamaStandIn", dependencies: ["CMicroHTTPD"], path: "Examples/OllamaStandIn"),
        .executableTarget(
            name: "ollama-stand-in",
            dependencies: ["OllamaStandIn"],
            path: "Examples/OllamaStandInServer"
        ),
        .systemLibrary(name: "CGetopt", path: "Examples/CGetopt"),
        .executableTarget(
            name: "Wizard",
            dependencies: [
                "OperationTracking", "OperationHistorySQLite", "OperationTransfer", "OllamaOperations",
                "NounProjectOperations", "ProcessOperations", "OKGatewayOperations", "OperationHTTP", "OperationServer",
                "OperationDashboard", "ServiceControl", "ServiceControlHTTP",
                "OllamaStandIn", "CGetopt",
            ],
            path: "Examples/Wizard"
        ),

        .executableTarget(
            name: "CustomProvider",
            dependencies: ["OperationTracking", "OperationHistorySQLite"],
            path: "Examples/CustomProvider"
        ),

        // Tests: one folder a module.
        .target(name: "TestSupport", dependencies: ["CProcess"], path: "Tests/Support"),
        .target(name: "TestSockets", path: "Tests/Sockets"),
        .executableTarget(
            name: "transfer-probe",
            dependencies: ["OperationTracking", "OperationTransfer"],
            path: "Tests/TransferProbe"
        ),
        .executableTarget(name: "resource-probe", dependencies: ["OperationTracking"], path: "Tests/ResourceProbe"),
        .testTarget(
            name: "OperationTrackingTests",
            dependencies: ["OperationTracking", "OperationTrackingTesting", "TestSupport"],
            resources: [.copy("Fixtures")]
        ),
        .executableTarget(
            name: "HistoryWriterTool",
            dependencies: ["OperationTracking", "OperationHistorySQLite"],
            path: "Tests/HistoryWriterTool"
        ),
        .testTarget(
            name: "OperationHistorySQLiteTests",
            dependencies: [
                "OperationHistorySQLite", "OperationTrackingTesting", "TestSupport", "HistoryWriterTool", "CSQLite",
            ]
        ),
        .testTarget(
            name: "OperationTransferTests",
            dependencies: ["OperationTransfer", "OperationTrackingTesting", "TestSockets", "TestSupport"]
        ),
        .testTarget(
            name: "OllamaOperationsTests",
            dependencies: [
                "OllamaOperations", "OllamaStandIn", "OperationTrackingTesting", "TestSockets", "TestSupport",
            ],
            resources: [.copy("Fixtures")]
        ),
        .testTarget(
            name: "NounProjectOperationsTests",
            dependencies: ["NounProjectOperations", "OperationTransfer", "OperationTrackingTesting"],
            resources: [.copy("Fixtures")]
        ),
        .testTarget(
            name: "ProcessOperationsTests",
            dependencies: ["ProcessOperations", "OperationTrackingTesting", "TestSupport"]
        ),
        .executableTarget(
            name: "service-probe",
            dependencies: ["OperationTracking", "OperationTransfer", "ServiceControl"],
            path: "Tests/ServiceProbe"
        ),
        .testTarget(
            name: "ServiceControlTests",
            dependencies: [
                "ServiceControl", "OperationTracking", "OperationTransfer", "OperationTrackingTesting", "TestSupport",
                "CProcess",
            ]
        ),
        .testTarget(name: "OperationHTTPTests", dependencies: ["OperationHTTP", "OperationTrackingTesting"]),
        .testTarget(name: "OperationDashboardTests", dependencies: ["OperationDashboard", "OperationHTTP"]),
        .testTarget(
            name: "ServiceControlHTTPTests",
            dependencies: [
                "ServiceControlHTTP", "OperationHTTP", "ServiceControl", "OperationTrackingTesting", "TestSockets",
                "TestSupport",
            ]
        ),
        .testTarget(name: "CustomProviderTests", dependencies: ["CustomProvider", "OperationTrackingTesting"]),
        .testTarget(
            name: "WizardTests",
            dependencies: [
                "CProcess", "OllamaStandIn", "OperationTracking", "OperationTrackingTesting", "OperationTransfer",
                "TestSockets", "TestSupport",
                "Wizard",
            ]
        ),
        .testTarget(
            name: "OperationServerTests",
            dependencies: [
                "OperationServer", "OperationHTTP", "OperationTrackingTesting", "TestSockets", "TestSupport",
            ]
        ),
        .testTarget(
            name: "OKGatewayOperationsTests",
            dependencies: [
                "OKGatewayOperations", "OllamaStandIn", "OperationTrackingTesting", "TestSockets", "TestSupport",
                "ollama-stand-in",
            ]
        ),
        .testTarget(
            name: "OllamaStandInTests",
            dependencies: ["OllamaStandIn", "TestSupport"],
            resources: [.copy("Fixtures")]
        ),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
