import ProviderKit
import RoutingPolicy

/// The router's own fields as one source gives them, a body or a head.
struct OverrideReader {
    private(set) var models: [String] = []
    /// nil: none was given, as is usual.
    private var given: OverridesBox?
    /// `supports_…: false`, which takes back what a source below this one asks for.
    private var waived = CapabilitySet()

    /// How many names `model` may list, and how many tags `tags`.
    private static let maxModels = 10
    private static let maxTags = 100
    /// The routing policy has the same bounds for a key's defaults.
    private static let tokens = 1...1_000_000_000

    /// - Parameter name: the field's, as the source spells it.
    mutating func read(_ field: ChatRequest.Field, _ value: OverrideValue, name: String) throws(APIError) {
        switch field {
        case .messages, .stream, .n, .streamOptions, .responseFormat, .tools, .functions, .maxTokens, .maxCompletionTokens: break
        case .model: models = try readModels(value, name)
        case .tags: fields.tags = try readTags(value, name)
        case .type: fields.type = try readWord(value, ["fast", "reasoning"], name)
        case .minContextSize: fields.minContext = try readInteger(value, Self.tokens, name)
        case .minMaxOutputTokens: fields.minOutput = try readInteger(value, Self.tokens, name)
        case .supportsImage: try readSupport(.image, value, name)
        case .supportsVideo: try readSupport(.video, value, name)
        case .supportsAudio: try readSupport(.audio, value, name)
        case .supportsFile: try readSupport(.file, value, name)
        case .supportsTools: try readSupport(.tools, value, name)
        case .preferFast: fields.prefersFast = try readFlag(value, name)
        case .minSuccessRate:
            guard let rate = value.number, 0...1 ~= rate else { throw ChatRequest.invalid(name, "a number from 0 to 1") }
            fields.minSuccessRate = rate
        case .selectionMode:
            fields.selectionMode = .init(rawValue: try readWord(value, RoutingOverrides.SelectionMode.allCases.map(\.rawValue), name))
        case .maxModelSwitches: fields.maxModelSwitches = try readInteger(value, 1...10, name)
        case .maxSameModelRetries: fields.retries = try readInteger(value, 0...10, name)
        case .retryDelay: fields.retryDelay = .milliseconds(try readInteger(value, 0...30_000, name, " (milliseconds)"))
        case .timeoutSecs: fields.timeout = .seconds(try readInteger(value, 1...600, name, " (seconds)"))
        case .fallbackProvider: fields.fallbackProvider = try readName(value, name)
        case .fallbackModel: fields.fallbackModel = try readName(value, name)
        }
    }

    /// Once all was read.
    /// - Parameter name: a field's, as the source spells it.
    func check(_ name: (ChatRequest.Field) -> String) throws(APIError) {
        guard let given = given?.fields, given.fallbackProvider != nil, given.fallbackModel == nil else { return }
        let provider = name(.fallbackProvider)
        throw APIError(
            400, "'\(provider)' names no model without '\(name(.fallbackModel))'; add it", code: "invalid_value", param: provider)
    }

    /// Takes what `others` gives where these give nothing.
    mutating func add(_ others: OverrideReader) {
        if models.isEmpty { models = others.models }
        given = fields(over: others.given)
        waived.formUnion(others.waived)
    }

    /// nil: nobody gives any.
    func fields(over defaults: OverridesBox?) -> OverridesBox? {
        guard let defaults else { return given }
        guard given != nil || !waived.isEmpty else { return defaults }
        var fields = defaults.fields
        fields.supports.subtract(waived)
        return OverridesBox(given?.fields.over(fields) ?? fields)
    }

    private var fields: RoutingOverrides {
        get { given?.fields ?? RoutingOverrides() }
        set { given = OverridesBox(newValue) }
    }

    private func readModels(_ value: OverrideValue, _ name: String) throws(APIError) -> [String] {
        if value.isEmptyText { return [] }
        guard let names = value.texts, 1...Self.maxModels ~= names.count, !names.contains("") else {
            throw ChatRequest.invalid(name, "a name or a list of 1 to \(Self.maxModels) names")
        }
        guard !names.dropLast().contains("auto") else {
            throw APIError(400, "'auto' may only stand last in '\(name)'; move it to the end", code: "invalid_value", param: name)
        }
        return names
    }

    private func readTags(_ value: OverrideValue, _ name: String) throws(APIError) -> TagExpression {
        guard let texts = value.texts, let tags = TagExpression(texts), tags.alternatives.reduce(0, { $0 + $1.count }) <= Self.maxTags
        else {
            throw ChatRequest.invalid(
                name, "1 to \(Self.maxTags) tags with ',' for or, '&' for and, '!' for not, such as \"fast & !paid, vision\"")
        }
        return tags
    }

    private func readWord(_ value: OverrideValue, _ words: [String], _ name: String) throws(APIError) -> String {
        guard let word = value.text, words.contains(word) else {
            throw ChatRequest.invalid(name, words.map { "'\($0)'" }.joined(separator: " or "))
        }
        return word
    }

    private func readName(_ value: OverrideValue, _ name: String) throws(APIError) -> String {
        guard let text = value.text, !text.isEmpty else { throw ChatRequest.invalid(name, "a name") }
        return text
    }

    private func readInteger(
        _ value: OverrideValue, _ bounds: ClosedRange<Int>, _ name: String, _ unit: String = ""
    ) throws(APIError) -> Int {
        guard let number = value.integer, bounds.contains(number) else {
            throw ChatRequest.invalid(name, "an integer from \(bounds.lowerBound) to \(bounds.upperBound)\(unit)")
        }
        return number
    }

    private func readFlag(_ value: OverrideValue, _ name: String) throws(APIError) -> Bool {
        guard let flag = value.flag else { throw ChatRequest.invalid(name, "true or false") }
        return flag
    }

    private mutating func readSupport(_ capability: Capability, _ value: OverrideValue, _ name: String) throws(APIError) {
        if try readFlag(value, name) { fields.supports.insert(capability) } else { waived.insert(capability) }
    }
}
