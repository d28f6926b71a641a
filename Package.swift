// swift-tools-version: 6.2
import PackageDescription

// The arrows between modules stand here and nowhere else. Each target sees only what its line names.

let warnings: [SwiftSetting] = Context.environment["WARNINGS_AS_ERRORS"] == "1" ? [.treatAllWarnings(as: .error)] : []
let settings: [SwiftSetting] = warnings + [.enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("ExistentialAny")]

/// For a binary with all libraries inside. pkg-config would name the folder of the shared ones first. It can't share
/// the kit with a library, so it loads no plugins.
let isStatic = Context.environment["LLM_ROUTER_STATIC"] == "1"

let kit: Target.Dependency = .product(name: "ProviderKit", package: "ProviderKit")
let wireFormats: Target.Dependency = .product(name: "WireFormats", package: "WireFormats")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

/// The provider plugins that are built in.
let builtins: [Target.Dependency] = [
    "Anthropic", "AzureOpenAI", "Bedrock", "DeepSeek", "Demo", "Gemini", "Ollama", "OpenAI", "OpenAICompatible", "OpenRouter",
]

/// Compiles into a target for which kit it is built.
let kitTag: Target.PluginUsage = .plugin(name: "KitTag", package: "ProviderKit")

func plugin(_ name: String, _ more: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: [kit, wireFormats] + more, path: "Plugins/\(name)", swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], data: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies + ["TestSupport", kit], path: "Tests/\(name)Tests", exclude: data,
        swiftSettings: settings)
}

/// Parsers and their properties. `make fuzz` builds them with libFuzzer as the program `Fuzz`; otherwise they are
/// tests, which replay the committed inputs.
let fuzz: Target = {
    let dependencies: [Target.Dependency] =
        [
            kit, "TestSupport", "RoutingPolicy", "HTTPWire", "Engine", "Gateway", wireFormats, nioCore,
            .product(name: "ProviderConformance", package: "ProviderConformance"),
        ] + builtins
    let path = "Tests/FuzzTests"
    return Context.environment["FUZZ"] == "1"
        ? .executableTarget(
            name: "Fuzz", dependencies: dependencies, path: path, exclude: ["Inputs", "ReplayTests.swift"], swiftSettings: settings)
        : .testTarget(
            name: "FuzzTests", dependencies: dependencies, path: path, exclude: ["Inputs", "LibFuzzer.swift"], swiftSettings: settings)
}()

let package = Package(
    name: "llm-router",
    products: [
        .executable(name: "llm-router", targets: ["LLMRouter"]),
        // For the tests, which load it. Others build it as the package that it is.
        .library(name: "EchoProvider", type: .dynamic, targets: ["EchoProvider"]),
        .library(name: "MisbehavingProvider", type: .dynamic, targets: ["MisbehavingProvider"]),
        // For the benchmark.
        .library(name: "LoadedProvider", type: .dynamic, targets: ["LoadedProvider"]),
    ],
    dependencies: [
        .package(path: "Plugins/ProviderKit"),
        .package(path: "Plugins/WireFormats"),
        .package(path: "Plugins/ProviderConformance"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibYAML", pkgConfig: isStatic ? nil : "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: isStatic ? nil : "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: isStatic ? nil : "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CBuild", cSettings: [.define("LLM_ROUTER_COMMIT", to: "\"\(Context.environment["LLM_ROUTER_COMMIT"] ?? "")\"")]),
        .target(name: "RoutingPolicy", dependencies: [kit, "CLibYAML", crypto], swiftSettings: settings),
        .target(name: "PolicyDrafts", dependencies: [kit, "RoutingPolicy", crypto], swiftSettings: settings),
        .target(
            name: "HTTPWire", dependencies: [kit, "CZlib", nioCore, nioPosix, nioSSL, .product(name: "NIOTLS", package: "swift-nio")],
            swiftSettings: settings),
        .target(name: "Engine", dependencies: [kit, "RoutingPolicy", "HTTPWire", nioCore, logging, crypto], swiftSettings: settings),
        .target(
            name: "RedisStore", dependencies: [kit, "RoutingPolicy", "HTTPWire", "Engine", nioCore, nioPosix, nioSSL, logging],
            swiftSettings: settings),
        .target(name: "CSpawn"),
        .target(name: "PluginLoading", dependencies: [kit, "RoutingPolicy", "CSpawn", crypto], swiftSettings: settings, plugins: [kitTag]),
        .target(
            name: "Telemetry", dependencies: [kit, "RoutingPolicy", "HTTPWire", "Engine", "CSQLite", nioCore, logging],
            swiftSettings: settings),
        // C's `#embed` puts the files of the dashboard into the binary. SwiftPM's `.embedInCode` writes array literals,
        // for which the compiler needs 15 s per 70 KB.
        .target(name: "Dashboard", exclude: ["Page"]),
        .target(
            name: "Gateway",
            dependencies: [
                kit, wireFormats, "RoutingPolicy", "PolicyDrafts", "HTTPWire", "Engine", "Telemetry", "Dashboard", nioCore, crypto,
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "LLMRouter",
            dependencies: [
                kit, "CBuild", "RoutingPolicy", "PolicyDrafts", "PluginLoading", "HTTPWire", "Engine", "RedisStore", "Telemetry", "Gateway",
                nioCore,
                nioPosix,
                logging,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + builtins,
            swiftSettings: settings + (isStatic ? [.define("STATIC_KIT")] : [])
        ),
        plugin("Anthropic"),
        plugin("AzureOpenAI", ["OpenAIServer"]),
        plugin("Bedrock"),
        plugin("DeepSeek", ["OpenAIServer"]),
        plugin("Demo"),
        plugin("Gemini"),
        plugin("Ollama"),
        plugin("OpenAI", ["OpenAIServer"]),
        plugin("OpenAICompatible", ["OpenAIServer"]),
        plugin("OpenAIServer"),
        plugin("OpenRouter", ["OpenAIServer"]),

        .target(
            name: "EchoProvider", dependencies: [kit, wireFormats], path: "Examples/EchoProvider/Sources/EchoProvider",
            swiftSettings: settings, plugins: [kitTag]),
        .testTarget(
            name: "EchoProviderTests",
            dependencies: ["EchoProvider", kit, wireFormats, .product(name: "ProviderConformance", package: "ProviderConformance")],
            path: "Examples/EchoProvider/Tests/EchoProviderTests", swiftSettings: settings),
        .target(
            name: "MisbehavingProvider", dependencies: [kit], path: "Tests/MisbehavingProvider", swiftSettings: settings, plugins: [kitTag]),
        .target(
            name: "LoadedProvider", dependencies: [kit, "OpenAICompatible", "OpenAIServer"], path: "Tests/LoadedProvider",
            swiftSettings: settings, plugins: [kitTag]),
        .target(name: "TestSupport", dependencies: [kit], path: "Tests/TestSupport", swiftSettings: settings),
        .executableTarget(
            name: "Bench", dependencies: [kit, "RoutingPolicy", "HTTPWire", "Engine", "Telemetry", "Demo", nioCore, nioPosix, logging],
            path: "Tests/Bench", exclude: ["relay.profdata"], swiftSettings: settings),
        tests("ConfigTree", []),
        tests("ProviderKit", ["Engine"]),
        tests("RoutingPolicy", ["RoutingPolicy"], data: ["Goldens"]),
        tests("PolicyDrafts", ["PolicyDrafts", "RoutingPolicy"] + builtins, data: ["Goldens"]),
        tests(
            "HTTPWire",
            ["HTTPWire", "Engine", nioCore, nioPosix, nioSSL]
                + ["NIOHTTP1", "NIOEmbedded", "NIOConcurrencyHelpers"].map { .product(name: $0, package: "swift-nio") },
            data: ["Certificates"]),
        tests("Engine", ["Engine", "RoutingPolicy", "HTTPWire", nioCore, nioPosix, logging, crypto]),
        tests("RedisStore", ["RedisStore", "Engine", "RoutingPolicy", "HTTPWire", nioCore, nioPosix, logging]),
        tests("PluginLoading", ["PluginLoading", "RoutingPolicy", "EchoProvider"]),
        tests("Telemetry", ["Telemetry", "Engine", "RoutingPolicy", logging]),
        tests("Gateway", ["Gateway", wireFormats, "Engine", "RoutingPolicy", "HTTPWire", nioCore]),
        tests("WireFormats", [wireFormats], data: ["Goldens"]),
        tests(
            "Plugin", builtins + ["OpenAIServer", wireFormats, .product(name: "ProviderConformance", package: "ProviderConformance")]),
        tests("Live", []),
        fuzz,
    ]
)
