import Codecs
public import ProviderKit

/// A suite of checks that every provider must pass, whatever its wire format is.
///
/// Run it with requests, and with responses and failures that were recorded from the provider, and expect no
/// violations:
///
/// ```swift
/// let suite = ProviderConformance(
///     provider: MyPlugin.makeProvider(options),
///     responses: [.init("text", isStream: true, head: head, bytes: bytes, content: .init(text: "Hi", finish: .stop))],
///     requests: [.chat(ChatRequest(messages: [ChatMessage(.user, "Hello")]))],
///     failures: [.init("no credit", status: 429, body: body, is: .providerRejected)],
///     failureEvents: ["data: {\"error\": \"overloaded\"}\n\n"])
/// #expect(suite.violations() == [])
/// ```
public struct ProviderConformance {
    /// A rule, which holds for every provider.
    public struct Check: Sendable, CustomStringConvertible {
        /// The rule in words.
        public let name: String
        /// The places where a provider breaks the rule.
        let violations: @Sendable (ProviderConformance) -> [String]

        init(_ name: String, _ violations: @escaping @Sendable (ProviderConformance) -> [String]) {
            self.name = name
            self.violations = violations
        }

        /// The name.
        public var description: String { name }
    }

    let provider: any Provider
    let responses: [RecordedResponse]
    let requests: [Request]
    let failures: [RecordedFailure]
    let failureEvents: [String]

    /// Creates a suite.
    ///
    /// - Parameters:
    ///   - responses: complete, successful responses of the provider.
    ///   - requests: requests that the provider can express.
    ///   - failures: refusals of the provider.
    ///   - failureEvents: events with which a stream of the provider fails, with the blank line or the line end behind
    ///     them.
    public init(
        provider: any Provider, responses: [RecordedResponse], requests: [Request], failures: [RecordedFailure] = [],
        failureEvents: [String] = []
    ) {
        self.provider = provider
        self.responses = responses
        self.requests = requests
        self.failures = failures
        self.failureEvents = failureEvents
    }

    /// All checks.
    public static let checks: [Check] =
        decodingChecks + framingChecks + contentChecks + requestChecks + continuationChecks + failureChecks + providerChecks

    /// The violations of all checks, one sentence for each; empty if the provider passes.
    public func violations() -> [String] { Self.checks.flatMap(violations) }

    /// The violations of one check.
    public func violations(of check: Check) -> [String] {
        check.violations(self).map { "\(check.name); but: \($0)" }
    }

    static let model = "conformance-model"

    /// A call of the provider: in its own format for a body, and otherwise typed.
    func call(
        _ payload: Payload, isStream: Bool, keepsText: Bool = false, continuation: String? = nil, defaults: [BodyField] = [],
        overrides: [BodyField] = []
    ) -> Call {
        let own = provider.formats(for: .chat, model: Self.model).first
        let format = if case .members = payload, let own { own } else { WireFormat("conformance") }
        return Call(
            operation: .chat, model: Self.model, isStream: isStream, format: format, payload: payload, defaults: defaults,
            overrides: overrides, continuation: continuation, keepsText: keepsText, provider: "conformance")
    }
}

extension ProviderConformance {
    /// A successful response as the provider sends it.
    public struct RecordedResponse {
        /// The name of the response in violations.
        public var name: String
        /// Whether it is the response to a streamed call.
        public var isStream: Bool
        /// The head of the response.
        public var head: UpstreamHead
        /// The body of the response.
        public var bytes: [UInt8]
        /// What it says; nil if that isn't checked.
        public var content: Content?

        /// Creates a response.
        public init(_ name: String, isStream: Bool, head: UpstreamHead, bytes: [UInt8], content: Content? = nil) {
            self.name = name
            self.isStream = isStream
            self.head = head
            self.bytes = bytes
            self.content = content
        }
    }

    /// What a response says.
    public struct Content: Sendable {
        /// The text.
        public var text: String
        /// The reasoning in words.
        public var reasoning: String
        /// Whether there is a token of the reasoning.
        public var hasToken: Bool
        /// Whether the model refuses, or a filter has stopped it.
        public var isFiltered: Bool
        /// The tool calls, in order: names, and arguments as JSON text.
        public var toolCalls: [(name: String, arguments: String)]
        /// The finish reason.
        public var finish: FinishReason
        /// The usage; nil if there is none.
        public var usage: Usage?

        /// Creates a description of a response.
        public init(
            text: String = "", reasoning: String = "", hasToken: Bool = false, isFiltered: Bool = false,
            toolCalls: [(name: String, arguments: String)] = [], finish: FinishReason, usage: Usage? = nil
        ) {
            self.text = text
            self.reasoning = reasoning
            self.hasToken = hasToken
            self.isFiltered = isFiltered
            self.toolCalls = toolCalls
            self.finish = finish
            self.usage = usage
        }
    }

    /// A refusal as the provider sends it.
    public struct RecordedFailure {
        let name: String
        let head: UpstreamHead
        let body: [UInt8]
        let failure: FailureClass
        let retryAfter: Duration?

        /// Creates a refusal.
        ///
        /// - Parameters:
        ///   - name: its name in violations.
        ///   - fields: the header fields that matter.
        ///   - failure: the class that it has.
        ///   - retryAfter: the wait that it requests; nil if it requests none.
        public init(
            _ name: String, status: Int, fields: [HTTPField] = [], body: String, is failure: FailureClass, retryAfter: Duration? = nil
        ) {
            self.name = name
            head = UpstreamHead(status: status, fields: fields)
            self.body = Array(body.utf8)
            self.failure = failure
            self.retryAfter = retryAfter
        }
    }

    /// A client's request.
    public struct Request {
        let payload: Payload
        /// The client's body; empty if the request is typed.
        let body: [UInt8]

        /// A body in one of the provider's formats: one JSON object.
        public static func body(_ json: String) -> Request {
            let body = Array(json.utf8)
            return Request(payload: .members((try? JSON.members(of: body.span.bytes)) ?? []), body: body)
        }

        /// A chat request in another format.
        public static func chat(_ request: ChatRequest) -> Request { Request(payload: .chat(request), body: []) }

        var isTyped: Bool { if case .chat = payload { true } else { false } }
    }
}

/// A small seeded generator, so that a failure can be reproduced. Source: S. Vigna, splitmix64.c.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
