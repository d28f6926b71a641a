// swift-tools-version: 6.2
import PackageDescription

let warnings: [SwiftSetting] = Context.environment["WARNINGS_AS_ERRORS"] == "1" ? [.treatAllWarnings(as: .error)] : []
let settings: [SwiftSetting] = warnings + [.enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "ProviderConformance",
    products: [.library(name: "ProviderConformance", targets: ["ProviderConformance"])],
    dependencies: [.package(path: "../ProviderKit")],
    targets: [
        .target(
            name: "ProviderConformance",
            dependencies: [.product(name: "ProviderKit", package: "ProviderKit")],
            path: "ProviderConformance",
            swiftSettings: settings
        )
    ]
)
