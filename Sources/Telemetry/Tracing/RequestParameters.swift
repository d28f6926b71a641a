import Codecs
import ProviderKit

/// The parameters of a request that the conventions have attributes for, as they go to a model: the policy's defaults
/// for it, then what the client says, then the policy's overrides.
///
/// The formats name them alike, but for their spelling and the object that they are in: Gemini's are in
/// `generationConfig`, and Ollama's in `options`.
struct RequestParameters {
    private enum Kind { case real, integer, texts }

    /// Source: OpenTelemetry's semantic conventions for generative AI, attributes `gen_ai.request.*`.
    private static let attributes: [(names: [String], attribute: StaticString, kind: Kind)] = [
        (["temperature"], "gen_ai.request.temperature", .real),
        (["top_p", "topP"], "gen_ai.request.top_p", .real),
        (["top_k", "topK"], "gen_ai.request.top_k", .real),
        (["seed"], "gen_ai.request.seed", .integer),
        (["stop", "stop_sequences", "stopSequences"], "gen_ai.request.stop_sequences", .texts),
        (["frequency_penalty", "frequencyPenalty"], "gen_ai.request.frequency_penalty", .real),
        (["presence_penalty", "presencePenalty"], "gen_ai.request.presence_penalty", .real),
        (["encoding_format"], "gen_ai.request.encoding_formats", .texts),
    ]
    private static let places = Dictionary(
        uniqueKeysWithValues: attributes.enumerated().flatMap { place, attribute in attribute.names.map { ($0, place) } })
    private static let objects: Set = ["generationConfig", "generation_config", "options"]
    private static let maxTexts = 16

    /// In the order of the attributes.
    private var values: [JSONTree?] = Array(repeating: nil, count: attributes.count)

    /// - Parameters:
    ///   - body: the client's; one that is no JSON object has no parameters.
    ///   - defaults: the model's `request_defaults`.
    ///   - overrides: the model's `request_overrides`.
    init(_ body: RawSpan, defaults: [BodyField] = [], overrides: [BodyField] = []) {
        for field in defaults { add(field) }
        for member in (try? JSON.members(of: body)) ?? [] {
            let name = JSON.string(member.key, in: body)
            if Self.isKnown(name) { add(name, JSONTree(body.extracting(member.value.range))) }
        }
        for field in overrides { add(field, isOverride: true) }
    }

    func write(to list: inout JSONWriter, mask: (String) -> String) {
        for (attribute, value) in zip(Self.attributes, values) {
            guard let value else { continue }
            switch attribute.kind {
            case .real: if let number = value.double { list.attribute(attribute.attribute, number) }
            case .integer: if let number = value.integer { list.attribute(attribute.attribute, number) }
            case .texts:
                let texts = (value.elements ?? [value]).compactMap(\.string)
                if !texts.isEmpty { list.attribute(attribute.attribute, texts.prefix(Self.maxTexts).map(mask)) }
            }
        }
    }

    private static func isKnown(_ name: String) -> Bool { places[name] != nil || objects.contains(name) }

    private mutating func add(_ field: BodyField, isOverride: Bool = false) {
        if Self.isKnown(field.key) { add(field.key, JSONTree(field.json.span.bytes), isOverride: isOverride) }
    }

    /// - Parameter isOverride: whether a null removes the parameter.
    private mutating func add(_ name: String, _ value: JSONTree?, isOverride: Bool = false) {
        guard let value, !value.isNull || isOverride else { return }
        if let place = Self.places[name] { return values[place] = value.isNull ? nil : value }
        for member in value.members ?? [] where Self.places[member.name] != nil { add(member.name, member.value, isOverride: isOverride) }
    }
}
