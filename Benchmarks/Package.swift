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
        .executableTarget(
            name: "operation-benchmarks",
            dependencies: [
                "CAllocationCounter", "CBareHTTP", "CRawSQLite",
                .product(name: "OperationTracking", package: "OperationTracking"),
                .product(name: "OperationServer", package: "OperationTracking"),
                .product(name: "OperationHTTP", package: "OperationTracking"),
                .product(name: "OperationHistorySQLite", package: "OperationTracking"),
            ],
            path: "Sources/OperationBenchmarks"
        ),
    ]
)
