import Codecs
import ConfigTree

/// One routing override, and everything that the router knows about it. Requests, headers, key defaults, tests, help,
/// digest, difference and explanations are all derived from `RoutingOverride.all`.
package struct RoutingOverride: Sendable {
    /// The member of a request's body, and the option of a key's `defaults` and of a test's `request`.
    package let name: StaticString
    /// The headers that give the override, the usual spelling first.
    package let headers: [String]
    /// What a request must give, for the error if it does not: `an integer from 1 to 10`.
    package let expected: String
    /// Takes the value of a request; an empty text or list of tags sets nothing. False if the value is not one that the
    /// override takes.
    package let set: @Sendable (OverrideValue, inout RoutingOverrides) -> Bool
    /// Writes the member of a request's body, if the override is given.
    let write: @Sendable (RoutingOverrides, inout JSONWriter) -> Void
    let option: Option<RoutingOverrides>

    private init<Value: Sendable>(
        _ name: StaticString, _ path: any WritableKeyPath<RoutingOverrides, Value?> & Sendable, _ type: OverrideType<Value>,
        otherHeader: String? = nil, help: String,
        read: (@Sendable (inout FieldReader, inout PolicySchema, inout RoutingOverrides) -> Void)? = nil
    ) {
        let key = "\(name)"
        self.name = name
        headers = [Self.header(key)] + (otherHeader.map { [$0] } ?? [])
        expected = type.expected
        set = { value, overrides in
            if type.isEmpty(value) { return true }
            guard let value = type.value(value) else { return false }
            overrides[keyPath: path] = value
            return true
        }
        write = { overrides, body in
            guard let value = overrides[keyPath: path] else { return }
            body.key(escaping: key)
            type.write(value, &body)
        }
        option = Option(
            key, takes: type.option.kind, help: help,
            inherit: { overrides, base in
                if overrides[keyPath: path] == nil { overrides[keyPath: path] = base[keyPath: path] }
            },
            entries: { overrides, _ in overrides[keyPath: path].map { [OptionEntry(key, .text(type.option.written($0)))] } ?? [] },
            read: read ?? { fields, _, overrides in overrides[keyPath: path] = type.option.read(&fields, key) })
    }

    /// `x-router-`, then the name with hyphens.
    private static func header(_ name: String) -> String {
        "x-router-" + name.map { $0 == "_" ? "-" : String($0) }.joined()
    }

    /// The override that requires a capability.
    package static func name(requiring capability: Capability) -> String {
        capability == .json ? "json_response" : "supports_\(capability.rawValue)"
    }

    package static let maxTags = 100
    package static let maxNameBytes = 256

    /// Whether a text may be a provider's own name of a model.
    static func isName(_ text: String) -> Bool {
        1...maxNameBytes ~= text.utf8.count && text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    }

    /// Read together with `fallback_model`.
    package static let fallbackProvider = RoutingOverride(
        "fallback_provider", \.fallbackProvider, .name, help: "the provider of 'fallback_model', which may then be any of its models",
        read: { _, _, _ in })

    package static let fallbackModel = RoutingOverride(
        "fallback_model", \.fallbackModel, .name, help: "the model to call when everything else has failed",
        read: { fields, schema, overrides in schema.readFallback(&fields, &overrides) })

    package static let all: [RoutingOverride] = [
        .init(
            "tags", \.tags, .tags, help: "an expression that every candidate of 'try' must match",
            read: { fields, schema, overrides in overrides.tags = schema.readTagExpression(&fields, allowsEmptyEntries: true) }),
        .init("type", \.type, .word(of: ModelDefinition.types), help: "the type of every candidate of 'try'"),
        .init("min_context_size", \.minContext, .integer(countRange), help: "input tokens that every candidate of 'try' must take"),
        .init("min_max_output_tokens", \.minOutput, .integer(countRange), help: "output tokens that every candidate of 'try' must give"),
        .init("supports_image", \.[.image], .flag, help: "only candidates that take images"),
        .init("supports_video", \.[.video], .flag, help: "only candidates that take video"),
        .init("supports_audio", \.[.audio], .flag, help: "only candidates that take audio"),
        .init("supports_file", \.[.file], .flag, help: "only candidates that take files"),
        .init("supports_tools", \.[.tools], .flag, help: "only candidates that call tools"),
        .init("json_response", \.[.json], .flag, help: "only candidates that give JSON, which 'response_format' asks for"),
        .init(
            "prefer_fast", \.prefersFast, .flag,
            help: "calls models with a low measured latency first; a model without samples counts as 1s"),
        .init("min_success_rate", \.minSuccessRate, .ratio, help: "only candidates of 'try' whose recent success rate is at least this"),
        .init("selection_mode", \.selectionMode, .word, help: "the order of the route's selectors: 'weighted', 'best' or 'top3'"),
        .init(
            "max_model_switches", \.maxModelSwitches, .integer(1...10), help: "how many models of 'try' the request may be sent to"),
        .init("max_same_model_retries", \.retries, .integer(Retry.retryRange), help: "how often the same model is retried"),
        .init(
            "retry_delay", \.retryDelay, .milliseconds(in: 0...30_000),
            help: "the wait before each retry, ± 20 %; a number without a unit, as in a request"),
        .init(
            "timeout_secs", \.timeout, .seconds(in: 0.001...600), otherHeader: "x-router-timeout",
            help: "the longest time for each attempt; a number without a unit, as in a request"),
        fallbackProvider, fallbackModel,
    ]
}

extension RoutingOverrides {
    static let section = OptionSection<RoutingOverrides>(
        "keys.defaults", "routing overrides for all requests of the key, with the names, units and bounds that they have in a request",
        RoutingOverride.all.map(\.option))

    /// Whether a capability is required, by `supports_…` or `json_response`.
    subscript(capability: Capability) -> Bool? {
        get { supports.contains(capability) ? true : waived.contains(capability) ? false : nil }
        set {
            supports.remove(capability)
            waived.remove(capability)
            if newValue == true { supports.insert(capability) }
            if newValue == false { waived.insert(capability) }
        }
    }
}

/// How the values of an override are read, from requests and from a policy file, and written.
struct OverrideType<Value: Sendable>: Sendable {
    let option: OptionType<Value>
    /// What a request must give.
    let expected: String
    let value: @Sendable (OverrideValue) -> Value?
    /// Whether a request's value says nothing, and so counts as absent.
    var isEmpty: @Sendable (OverrideValue) -> Bool = { _ in false }
    let write: @Sendable (Value, inout JSONWriter) -> Void
}

extension OverrideType where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> OverrideType {
        OverrideType(
            option: .integer(range), expected: "an integer from \(range.lowerBound) to \(range.upperBound)",
            value: { $0.integer.flatMap { range.contains($0) ? $0 : nil } }, write: { $1.integer($0) })
    }
}

extension OverrideType where Value == Double {
    static let ratio = OverrideType(
        option: .ratio, expected: "a number from 0 to 1", value: { $0.number.flatMap { 0...1 ~= $0 ? $0 : nil } },
        write: { $1.double($0) })
}

extension OverrideType where Value == Bool {
    static let flag = OverrideType(option: .bool, expected: "true or false", value: \.flag, write: { $1.bool($0) })
}

extension OverrideType where Value == String {
    static func word(of words: [String]) -> OverrideType {
        OverrideType(
            option: .word(of: words), expected: words.map { "'\($0)'" }.joined(separator: " or "),
            value: { $0.text.flatMap { words.contains($0) ? $0 : nil } }, isEmpty: \.isBlank, write: { $1.string($0) })
    }

    static let name = OverrideType(
        option: .text, expected: "a name of 1 to \(RoutingOverride.maxNameBytes) visible ASCII characters",
        value: { $0.text.flatMap { RoutingOverride.isName($0) ? $0 : nil } }, isEmpty: \.isBlank, write: { $1.string($0) })
}

extension OverrideType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static var word: OverrideType {
        OverrideType(
            option: .word, expected: Value.allCases.map { "'\($0.rawValue)'" }.joined(separator: " or "),
            value: { $0.text.flatMap(Value.init) }, isEmpty: \.isBlank, write: { $1.string($0.rawValue) })
    }
}

extension OverrideType where Value == Duration {
    /// A bare integer.
    static func milliseconds(in range: ClosedRange<Int>) -> OverrideType {
        let integer = OverrideType<Int>.integer(range), unit = "milliseconds"
        return OverrideType(
            option: OptionType(
                kind: .integer(range, unit: unit), read: { $0.int($1, in: range, unit: unit).map { .milliseconds($0) } },
                written: { "\($0.wholeMilliseconds)" }),
            expected: "\(integer.expected) (\(unit))", value: { integer.value($0).map { .milliseconds($0) } },
            write: { $1.integer($0.wholeMilliseconds) })
    }

    /// A bare number, which may have a fraction. It is rounded to milliseconds.
    static func seconds(in bounds: ClosedRange<Double>) -> OverrideType {
        OverrideType(
            option: OptionType(
                kind: .number(bounds, unit: "seconds"), read: { $0.number($1, in: bounds, unit: "seconds").map(Duration.init(seconds:)) },
                written: { (Double($0.wholeMilliseconds) / 1000).asWritten }),
            expected: "a number from \(bounds.lowerBound.asWritten) to \(bounds.upperBound.asWritten) (seconds)",
            value: { $0.number.flatMap { bounds ~= $0 ? Duration(seconds: $0) : nil } },
            write: { $1.thousandths($0.wholeMilliseconds) })
    }
}

extension OverrideType where Value == TagExpression {
    static let tags = OverrideType(
        option: OptionType(kind: .other(PolicySchema.tagKind), read: { _, _ in nil }, written: \.description),
        expected: "1 to \(RoutingOverride.maxTags) tags with ',' for or, '&' for and, '!' for not, such as \"fast & !paid, vision\"",
        value: { value in
            guard let texts = value.entries, let tags = TagExpression(texts) else { return nil }
            return tags.alternatives.reduce(0) { $0 + $1.count } <= RoutingOverride.maxTags ? tags : nil
        },
        isEmpty: { $0.entries?.isEmpty == true },
        write: { tags, body in body.array { list in for text in tags.texts { list.string(text) } } })
}

extension Duration {
    fileprivate init(seconds: Double) { self = .milliseconds(Int((seconds * 1000).rounded())) }

    fileprivate var wholeMilliseconds: Int { Int(self / .milliseconds(1)) }
}
