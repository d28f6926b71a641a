// swift-tools-version: 6.2
import PackageDescription

// A provider for llm-router: 'swift build -c release' makes 'libEchoProvider.so', which a policy loads with 'plugins:'.
// It is built against the sources of the router that loads it.
let router = "../.."
let kit: Target.Dependency = .product(name: "ProviderKit", package: "ProviderKit")

let package = Package(
    name: "EchoProvider",
    products: [.library(name: "EchoProvider", type: .dynamic, targets: ["EchoProvider"])],
    dependencies: [
        .package(path: router + "/Plugins/ProviderKit"),
        .package(path: router + "/Plugins/WireFormats"),
        .package(path: router + "/Plugins/ProviderConformance"),
    ],
    targets: [
        .target(
            name: "EchoProvider", dependencies: [kit, .product(name: "WireFormats", package: "WireFormats")],
            plugins: [.plugin(name: "KitTag", package: "ProviderKit")]),
        .testTarget(
            name: "EchoProviderTests",
            dependencies: ["EchoProvider", kit, .product(name: "ProviderConformance", package: "ProviderConformance")]),
    ]
)
