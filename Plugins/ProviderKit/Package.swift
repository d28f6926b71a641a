// swift-tools-version: 6.2
import PackageDescription

/// All that a provider plugin sees. No dependency, not even Foundation, so that a plugin built outside this repository shares every
/// type with the router that loads it. That sharing needs one copy of the kit, hence a dynamic library; `LLM_ROUTER_STATIC=1` links
/// it into a single binary that has built-in plugins only.
let isStatic = Context.environment["LLM_ROUTER_STATIC"] == "1"
let warnings: [SwiftSetting] = Context.environment["WARNINGS_AS_ERRORS"] == "1" ? [.treatAllWarnings(as: .error)] : []
let settings: [SwiftSetting] = warnings + [.enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "ProviderKit",
    products: [
        .library(name: "ProviderKit", type: isStatic ? .static : .dynamic, targets: ["ProviderKit", "ConfigTree", "Codecs"])
    ],
    targets: [
        .target(name: "Codecs", path: "Codecs", swiftSettings: settings),
        .target(name: "ConfigTree", dependencies: ["Codecs"], path: "ConfigTree", swiftSettings: settings),
        .target(name: "ProviderKit", dependencies: ["Codecs", "ConfigTree"], path: "ProviderKit", swiftSettings: settings),
    ]
)
