import Codecs
import ProviderKit

@testable import WireFormats

/// A provider's list of models has no entry without a name, and no number that could trap where it is used.
func checkModelList(_ bytes: [UInt8]) throws {
    try check((try? OpenAIModels.read(bytes.span.bytes)) ?? [])
    try check((try? AnthropicModels.read(bytes.span.bytes)) ?? [])
    try check((try? GeminiModels.read(bytes.span.bytes)) ?? [])
    try check((try? OllamaModels.read(bytes.span.bytes)) ?? [])
}

private func check(_ models: [ListedModel]) throws {
    for model in models {
        try ensure(!model.id.isEmpty, "a model has no name")
        for tokens in [model.context, model.maxOutput] {
            try ensure(tokens.map { 1...1_000_000_000 ~= $0 } ?? true, "\(model.id) has \(tokens ?? 0) tokens")
        }
        for price in [model.price?.input, model.price?.output, model.price?.perRequest] {
            try ensure(price.map { $0.isFinite && $0 >= 0 } ?? true, "\(model.id) has the price \(price ?? 0)")
        }
    }
}
