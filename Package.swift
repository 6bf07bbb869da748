// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "OperationTracking",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "OperationTracking", targets: ["OperationTracking"]),
        .library(name: "OperationTrackingTesting", targets: ["OperationTrackingTesting"]),
    ],
    targets: [
        .target(name: "OperationTracking"),
        .target(name: "OperationTrackingTesting", dependencies: ["OperationTracking"]),
        .testTarget(name: "OperationTrackingTests", dependencies: ["OperationTracking", "OperationTrackingTesting"]),
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
