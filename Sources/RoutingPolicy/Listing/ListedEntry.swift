import Codecs
import ConfigTree
internal import Crypto
import ProviderKit

/// The entry of a provider's model in a policy file, on one line:
/// `openrouter/deepseek/deepseek-r1: { provider: openrouter, context: 163840, … }  # synced 3f9a1c2e`.
///
/// The number at the end is a hash of what is before it, so that a line that a person has changed is recognized.
struct ListedEntry {
    /// `provider/model`.
    let key: String
    private let value: String

    private static let mark = "  # synced "

    /// nil if the model can't be an entry: its name has a special meaning in policies, or its provider's plugin serves
    /// nothing that the model does.
    init?(_ model: ListedModel, of provider: ProviderDefinition) {
        let key = "\(provider.name)/\(model.id)"
        guard key.utf8.count <= 128, model.id.utf8.allSatisfy({ 0x21...0x7E ~= $0 }),
            !model.id.contains(where: { "*?,!&\"'\\".contains($0) }),
            let served = Self.served(model, provider)
        else { return nil }
        self.key = key
        var parts = ["provider: \(provider.name)"]
        if served != [.chat] { parts.append("serves: [\(served.map(\.rawValue).joined(separator: ", "))]") }
        if model.price?.isFree == true { parts.append("tags: [free]") }
        let supports = Self.supports(model)
        if !supports.isEmpty, served.contains(.chat) { parts.append("supports: [\(supports.map(\.rawValue).joined(separator: ", "))]") }
        if let context = model.context { parts.append("context: \(context)") }
        if let maxOutput = model.maxOutput { parts.append("max_output: \(maxOutput)") }
        if let price = model.price { parts.append("price: { \(Self.price(price)) }") }
        value = "{ \(parts.joined(separator: ", ")) }"
    }

    /// - Parameter indentation: blanks.
    func line(indentation: String) -> String {
        let text = "\(indentation)\(Self.isPlain(key) ? key : "\"\(key)\""): \(value)"
        return text + Self.mark + Self.hash(text)
    }

    // MARK: Lines of a file

    /// The key of a line that this made and nobody has changed; nil for any other line.
    ///
    /// - Parameter provider: the provider of the entry.
    static func key(ofLine line: String, provider: String) -> String? {
        guard let mark = line.firstRange(of: mark), hash(String(line[..<mark.lowerBound])) == line[mark.upperBound...] else { return nil }
        let text = line[..<mark.lowerBound].drop { $0 == " " }
        let key =
            text.hasPrefix("\"")
            ? text.dropFirst().prefix { $0 != "\"" } : text[..<(text.firstRange(of: ": ")?.lowerBound ?? text.endIndex)]
        let isOwn = ["{ provider: \(provider),", "{ provider: \(provider) }"].contains { text.dropFirst(key.count).contains($0) }
        return isOwn ? String(key) : nil
    }

    private static func hash(_ text: String) -> String { Hex.encoded(SHA256.hash(data: Array(text.utf8)).prefix(4)) }

    /// Whether a text is a key without quotes in any YAML.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "-_./:@+~".utf8.contains($0) } && !text.hasSuffix(":")
    }

    // MARK: Options

    /// What the model serves, as far as the provider's plugin does; nil if that is nothing.
    private static func served(_ model: ListedModel, _ provider: ProviderDefinition) -> [ProviderKit.Operation]? {
        if let outputs = model.outputModalities, model.operations == nil, !outputs.contains("text") { return nil }
        guard let plugin = provider.settings?.makeProvider() else { return nil }
        let operations = model.operations ?? [.chat]
        let served = ProviderKit.Operation.served.filter { operations.contains($0) && !plugin.formats(for: $0, model: model.id).isEmpty }
        return served.isEmpty ? nil : served
    }

    private static func supports(_ model: ListedModel) -> [Capability] {
        let inputs = model.inputModalities ?? []
        let flags: [(Capability, Bool)] = [
            (.tools, model.callsTools == true), (.json, model.writesJSON == true), (.reasoning, model.reasons == true),
        ]
        return Capability.allCases.filter { capability in
            flags.first { $0.0 == capability }?.1 ?? (capability != .streaming && inputs.contains(capability.rawValue))
        }
    }

    private static func price(_ price: ListedPrice) -> String {
        let parts: [(String, Double?)] = [
            ("input", price.input), ("output", price.output), ("cached_input", price.cachedInput), ("cache_write", price.cacheWrite),
            ("cache_write_1h", price.longCacheWrite), ("reasoning", price.reasoning), ("audio_input", price.audioInput),
            ("audio_output", price.audioOutput), ("per_request", price.perRequest), ("per_image", price.perImage),
        ]
        return parts.compactMap { key, dollars in
            dollars.map { "\(key): \(decimal($0))" }
        }.joined(separator: ", ")
    }

    /// The number with at most nine decimal places and no exponent.
    private static func decimal(_ value: Double) -> String {
        guard value > 0, value < 1e6 else { return value > 0 ? "1000000" : "0" }
        let (whole, rest) = Int((value * 1e9).rounded()).quotientAndRemainder(dividingBy: 1_000_000_000)
        var fraction = String(1_000_000_000 + rest).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)"
    }
}
