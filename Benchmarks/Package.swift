// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "OperationBenchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "OperationTracking", path: "..")],
    targets: [
        .executableTarget(
            name: "operation-benchmarks",
            dependencies: [.product(name: "OperationTracking", package: "OperationTracking")],
            path: "Sources/OperationBenchmarks"
        )
    ]
)
