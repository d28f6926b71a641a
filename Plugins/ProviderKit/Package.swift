// swift-tools-version: 6.2
import PackageDescription

// The kit that provider plugins are built against. It has no dependencies, not even Foundation, so that a plugin that
// is built outside this repository shares every type with the router that loads it. Types are shared only if the
// process has one copy of the kit, which is therefore a dynamic library. `LLM_ROUTER_STATIC=1` links it statically, for
// a single binary that has only the built-in plugins.
let isStatic = Context.environment["LLM_ROUTER_STATIC"] == "1"
let warnings: [SwiftSetting] = Context.environment["WARNINGS_AS_ERRORS"] == "1" ? [.treatAllWarnings(as: .error)] : []
let settings: [SwiftSetting] = warnings + [.enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "ProviderKit",
    products: [
        .library(name: "ProviderKit", type: isStatic ? .static : .dynamic, targets: ["ProviderKit", "ConfigTree", "Codecs"]),
        // For the target of a plugin's library: it writes into the library which kit that is compiled for.
        .plugin(name: "KitTag", targets: ["KitTag"]),
    ],
    targets: [
        .target(name: "Codecs", path: "Codecs", swiftSettings: settings),
        .target(name: "ConfigTree", dependencies: ["Codecs"], path: "ConfigTree", swiftSettings: settings),
        .target(name: "ProviderKit", dependencies: ["Codecs", "ConfigTree"], path: "ProviderKit", swiftSettings: settings),
        .plugin(name: "KitTag", capability: .buildTool(), path: "KitTag", exclude: ["kit-tag.sh"]),
    ]
)
