// swift-tools-version: 6.2
import PackageDescription

// A loop of a few instructions takes up to 1.6 times as long by where the linker happens to put it in a cache line, which would decide
// what is compared. So every function and every place that is jumped to begins a line: each loop lies alike in every build, and
// as well as it can.
let steadyPlacement = ["-align-all-functions=6", "-align-all-nofallthru-blocks=6"].flatMap { ["-Xllvm", $0] }

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
            path: "Sources/OperationBenchmarks",
            swiftSettings: [.unsafeFlags(steadyPlacement)]
        ),
    ]
)

for target in package.targets {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        ]
}
