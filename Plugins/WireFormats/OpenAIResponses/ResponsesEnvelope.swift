import Codecs
import ProviderKit

/// What a response repeats of its request, and the tools to which its calls belong.
public struct OpenAIResponsesSettings: Sendable {
    let tools: ResponsesTools
    private let members: [JSONTree.Member]

    /// The members that a response repeats, and their values if the request doesn't have them. Source: the SDK's
    /// `Response`.
    private static let repeated: [(name: String, value: String)] = [
        ("instructions", "null"), ("max_output_tokens", "null"), ("max_tool_calls", "null"), ("metadata", "{}"),
        ("parallel_tool_calls", "true"), ("prompt_cache_key", "null"), ("reasoning", #"{"effort":null,"summary":null}"#),
        ("safety_identifier", "null"), ("temperature", "null"), ("text", #"{"format":{"type":"text"}}"#), ("tool_choice", #""auto""#),
        ("tools", "[]"), ("top_logprobs", "0"), ("top_p", "null"), ("truncation", #""disabled""#), ("user", "null"),
    ]

    /// Reads them from a request's body.
    public init(of body: RawSpan) {
        let tree = JSONTree(body) ?? .object([])
        tools = ResponsesTools(of: tree)
        let given = tree.members ?? []
        members = Self.repeated.compactMap { name, value in
            if let member = given.last(where: { $0.name == name }), !member.value.isNull { return member }
            return JSONTree(Array(value.utf8).span.bytes).map { JSONTree.Member(key: Array(name.utf8), value: $0) }
        }
    }

    func write(to writer: inout JSONWriter) { for member in members { member.write(to: &writer) } }
}

/// What a response has beside its output.
struct ResponsesEnvelope: Sendable {
    enum Status: String {
        case inProgress = "in_progress"
        case completed, incomplete, failed
    }

    private(set) var id: String
    private let created: Int
    private var model: String
    private let settings: OpenAIResponsesSettings
    private var reason = FinishReason.stop

    init(id: ResponsesID, created: Int, model: String, _ settings: OpenAIResponsesSettings) {
        self.id = id.response
        self.created = created
        self.model = model
        self.settings = settings
    }

    /// Takes over the id of a response that another server has begun.
    mutating func note(id: String) { self.id = id }

    mutating func note(_ event: ChatEvent) {
        switch event {
        case .start(let id, let model):
            if let id, id.hasPrefix("resp_") { self.id = id }
            self.model = model ?? self.model
        case .finish(let reason, _): self.reason = reason
        case .text, .logprobs, .reasoning, .reasoningToken, .citation, .refusal, .toolCall, .toolArguments: break
        }
    }

    /// Whether the model has ended the response itself.
    var isComplete: Bool { reason == .stop || reason == .toolCalls }

    var endStatus: Status { isComplete ? .completed : .incomplete }

    /// Writes the members of a response.
    ///
    /// - Parameters:
    ///   - usage: nil if the response has not ended.
    ///   - failure: the code and the message of a failed response.
    func write(
        _ status: Status, _ items: [ResponsesItem], _ usage: Usage?, failure: (code: String, message: String)? = nil,
        to writer: inout JSONWriter
    ) {
        writer.member("id", id)
        writer.member("object", "response")
        writer.member("created_at", created)
        writer.member("status", status.rawValue)
        writer.member("background", false)
        writer.key("error")
        if let failure {
            writer.object {
                $0.member("code", failure.code)
                $0.member("message", failure.message)
            }
        } else {
            writer.null()
        }
        writer.key("incomplete_details")
        if status == .incomplete {
            writer.object { $0.member("reason", reason == .contentFilter ? "content_filter" : "max_output_tokens") }
        } else {
            writer.null()
        }
        writer.member("model", model)
        writer.key("output")
        writer.array { for item in items { item.write(to: &$0) } }
        writer.key("previous_response_id")
        writer.null()
        writer.member("store", false)
        settings.write(to: &writer)
        writer.key("usage")
        if let usage { usage.writeResponses(to: &writer) } else { writer.null() }
    }
}
