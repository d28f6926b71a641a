import Codecs
import ProviderKit

@testable import WireFormats

/// A chat request in OpenAI's format that can be read, and written, reads back as equal, except for what the format has
/// no other place for.
func checkOpenAIRequest(_ bytes: [UInt8]) throws {
    guard (try? JSON.members(of: bytes.span.bytes)) != nil else { return }
    guard var request = try? OpenAIChat.readRequest(bytes.span.bytes) else { return }
    // The format's own server refuses such a user.
    if request.user?.unicodeScalars.count ?? 0 > 64 { request.user = nil }
    // The format's own server wants the word in the prompt, so that a message with it would be added.
    if request.responseFormat == .json { request.messages.append(ChatMessage(.user, "JSON")) }
    let call = Call(operation: .chat, model: "m", isStream: false, format: WireFormat("other"), payload: .chat(request))
    var dialect = OpenAIDialect()
    dialect.reasoning = .content
    dialect.hasCacheControl = true
    dialect.isOpenAI = true
    guard let written = try? OpenAIChat.writeRequest(request, for: call, dialect) else { return }
    let text = String(decoding: written, as: UTF8.self)
    guard let again = try? OpenAIChat.readRequest(written.span.bytes) else {
        throw Violation(description: "it is written as what is refused: \(text)")
    }
    // The media of a tool's result move to the user.
    if request.hasMediaInResults { return }
    try ensure(
        again.normalized(call) == request.normalized(call), "\(request), written as \(text), reads back as \(again)")
}

extension ChatRequest {
    fileprivate var hasMediaInResults: Bool {
        messages.contains { message in
            message.parts.contains { part in
                guard case .toolResult(let result) = part.content else { return false }
                return result.parts.contains { $0.text == nil }
            }
        }
    }

    /// The request without what the format leaves out or writes in another way, as its documentation says.
    fileprivate func normalized(_ call: Call) -> ChatRequest {
        var request = self
        request.messages = messages.map { $0.normalized(call) }
        for index in tools.indices {
            request.tools[index].name = OpenAIToolName.sent(tools[index].name)
            // A schema that OpenAI's strict mode refuses is written without it.
            request.tools[index].isStrict = nil
            request.tools[index].custom = nil
        }
        if case .tool(let name) = toolChoice { request.toolChoice = .tool(OpenAIToolName.sent(name)) }
        if tools.isEmpty { (request.toolChoice, request.allowsParallelTools) = (nil, nil) }
        if case .schema(let name, let description, let schema, _) = responseFormat {
            request.responseFormat = .schema(name: name, description: description, schema: schema, isStrict: false)
        }
        request.reasoning = (reasoning?.effortName).flatMap(OpenAIModel(call.model).effort).map { .effort($0) }
        return request
    }
}

extension ChatMessage {
    fileprivate func normalized(_ call: Call) -> ChatMessage {
        var message = self, refusals: [String] = []
        message.parts = parts.compactMap { part in
            var part = part
            switch part.content {
            case .refusal(let text):
                refusals.append(text)
                return nil
            case .toolCall(var call):
                call.name = OpenAIToolName.sent(call.name)
                part.content = .toolCall(call)
            case .toolResult(var result):
                if result.parts.allSatisfy({ $0.cacheControl == nil }) {
                    let text = result.parts.joinedText
                    result.parts = text.isEmpty ? [] : [ChatPart(.text(text))]
                }
                part.content = .toolResult(result)
            case .reasoning(var reasoning):
                if OpenAITokens.token(of: reasoning, call) == nil { reasoning.token = nil }
                if reasoning.token == nil, reasoning.text.isEmpty { return nil }
                part.content = .reasoning(reasoning)
            case .text, .media: break
            }
            return part
        }
        if !refusals.isEmpty {
            let place = message.parts.firstIndex { if case .toolCall = $0.content { true } else { false } } ?? message.parts.endIndex
            message.parts.insert(ChatPart(.refusal(refusals.joined(separator: "\n"))), at: place)
        }
        return message
    }
}
