// swift-tools-version: 6.2
import PackageDescription

// The wire formats that faces and provider plugins share, one folder for each, and `Shared` for what several of them
// use. It is linked statically: what it reads and writes are types of the kit, so that a plugin may bring a copy of its
// own.
let warnings: [SwiftSetting] = Context.environment["WARNINGS_AS_ERRORS"] == "1" ? [.treatAllWarnings(as: .error)] : []
let settings: [SwiftSetting] = warnings + [.enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "WireFormats",
    products: [.library(name: "WireFormats", type: .static, targets: ["WireFormats"])],
    dependencies: [.package(path: "../ProviderKit")],
    targets: [
        .target(
            name: "WireFormats",
            dependencies: [.product(name: "ProviderKit", package: "ProviderKit")],
            path: ".",
            sources: [
                "AnthropicMessages", "BedrockConverse", "Gemini", "ModelLists", "Ollama", "OpenAIAudio", "OpenAIChat", "OpenAIEmbeddings",
                "OpenAIObjects", "OpenAIResponses", "Shared",
            ],
            swiftSettings: settings
        )
    ]
)
