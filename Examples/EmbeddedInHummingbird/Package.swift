// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "EmbeddedInHummingbird",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "OperationTracking", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.20.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.11.0"),
    ],
    targets: [
        .executableTarget(
            name: "EmbeddedInHummingbird",
            dependencies: [
                .product(name: "OperationTracking", package: "OperationTracking"),
                .product(name: "OperationHTTP", package: "OperationTracking"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources"
        )
    ]
)
