// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "OperationBenchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "OperationTracking", path: "..")],
    targets: [
        .target(name: "CAllocationCounter"),
        .target(
            name: "CRawSQLite",
            linkerSettings: [.linkedLibrary("sqlite3")]
        ),
        .target(name: "CBareHTTP", linkerSettings: [.linkedLibrary("microhttpd")]),
        .target(name: "CBareCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CLoopbackClients"),
        .executableTarget(
            name: "operation-benchmarks",
            dependencies: [
                "CAllocationCounter", "CBareCurl", "CBareHTTP", "CLoopbackClients", "CRawSQLite",
                .product(name: "OperationTracking", package: "OperationTracking"),
                .product(name: "OperationServer", package: "OperationTracking"),
                .product(name: "OperationHTTP", package: "OperationTracking"),
                .product(name: "OperationHistorySQLite", package: "OperationTracking"),
                .product(name: "OperationTransfer", package: "OperationTracking"),
                .product(name: "ServiceControl", package: "OperationTracking"),
                // Not linked, but run: what a server costs is measured on it.
                .product(name: "wizard", package: "OperationTracking"),
            ],
            path: "Sources/OperationBenchmarks"
        ),
    ]
)
