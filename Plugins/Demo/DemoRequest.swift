import Codecs
public import ProviderKit

extension DemoProvider {
    /// An empty request. It is never sent, because the provider has no origin.
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(target: "/", fields: [], body: [])
    }
}

/// The parts of a chat request that the demo uses.
struct DemoPrompt {
    /// The text of the last message with the role `user`.
    let question: String
    /// The texts of all messages, one a line.
    let text: String
    /// Whether the response must be JSON.
    let wantsJSON: Bool
    /// The function that the model must call; nil if there is none.
    let forcedFunction: String?
    /// How many tokens stand beside each of the response's own; nil for no log probabilities.
    let topLogprobs: Int?

    init(_ request: ChatRequest) {
        topLogprobs = request.topLogprobs.map { max(0, min($0, 20)) }
        question = request.messages.last { $0.role == .user }?.text ?? ""
        text = request.messages.map(\.text).joined(separator: "\n")
        wantsJSON =
            switch request.responseFormat {
            case nil, .text: false
            case .json, .schema: true
            }
        forcedFunction = if case .tool(let name)? = request.toolChoice { name } else { nil }
    }
}
