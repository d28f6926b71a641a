import Codecs
import RoutingPolicy

/// The models and routing overrides that one source gives: a body or a head.
struct OverrideReader {
    private(set) var models: [String] = []
    /// nil: none was given, as in most requests.
    private var given: OverridesBox?

    private static let maxModels = 10

    /// Reads `model`: a name, names with commas between them, or a list of names. Empty entries say nothing.
    ///
    /// - Parameter name: the field's name, as the source spells it.
    mutating func readModels(_ value: OverrideValue, name: @autoclosure () -> String) throws(APIError) {
        if value.isBlank { return }
        guard let names = value.listed, 1...Self.maxModels ~= names.count else {
            throw .invalid(name(), "a name or a list of 1 to \(Self.maxModels) names")
        }
        guard names.count == 1 || !names.dropLast().contains("auto") else {
            throw .misplacedAuto(name())
        }
        models = names
    }

    /// Reads an override. An empty text, as forms send it, says nothing.
    ///
    /// - Parameter name: the override's name, as the source spells it.
    mutating func read(_ override: RoutingOverride, _ value: OverrideValue, name: String) throws(APIError) {
        if value.isBlank { return }
        var overrides = given?.fields ?? RoutingOverrides()
        guard override.set(value, &overrides) else { throw .invalid(name, override.expected) }
        given = OverridesBox(overrides)
    }

    /// Checks what was read together, once everything has been read.
    ///
    /// - Parameter spelling: an override's name as the source spells it.
    func check(_ spelling: (RoutingOverride) -> String) throws(APIError) {
        guard let given = given?.fields, given.fallbackProvider != nil, given.fallbackModel == nil else { return }
        let provider = spelling(.fallbackProvider)
        throw APIError(
            400, "'\(provider)' names no model without '\(spelling(.fallbackModel))'; add it", code: "invalid_value", param: provider)
    }

    /// Takes what a lower source gives wherever this one gives nothing.
    mutating func add(_ lower: OverrideReader) {
        if models.isEmpty { models = lower.models }
        given = overrides(over: lower.given)
    }

    /// Takes the models of the header where the body's `model` is no override, because clients can't leave it out.
    mutating func takeModels(of header: OverrideReader) {
        if !header.models.isEmpty { models = header.models }
    }

    /// nil: no source gives any.
    func overrides(over defaults: OverridesBox?) -> OverridesBox? {
        guard let defaults else { return given }
        guard let given else { return defaults }
        return OverridesBox(given.fields.over(defaults.fields))
    }
}
