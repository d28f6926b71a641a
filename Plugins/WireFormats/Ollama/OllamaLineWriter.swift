public import ProviderKit

/// Writes typed events as lines of a stream.
///
/// A tool call is written when the response ends, because this format has only complete ones.
public struct OllamaLineWriter: Sendable {
    private var message: OllamaMessageWriter

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - format: ``OllamaChat/format`` or ``OllamaChat/generate``.
    ///   - model: the name of the model, for providers that send none.
    public init(_ format: WireFormat, model: String) {
        message = OllamaMessageWriter(format, model: model)
    }

    /// The event's part of the stream: a line, or nothing. The end of the response is written by ``end(_:_:at:)``,
    /// because its usage is known later.
    ///
    /// - Parameter time: when the line is written, in milliseconds since 1970.
    public mutating func line(_ event: ChatEvent, at time: Int) -> [UInt8] {
        switch event {
        case .text(let text), .refusal(let text):
            if text.isEmpty { return [] }
            let tokens = message.takeTokens()
            return message.line(at: time, text: text, tokens: tokens)
        case .reasoning(let text):
            return text.isEmpty ? [] : message.line(at: time, thinking: text)
        case .start, .logprobs, .reasoningToken, .citation, .toolCall, .toolArguments, .finish:
            message.add(event)
            return []
        }
    }

    /// The last part of the stream, after ``line(_:at:)`` of all events: the tool calls, and the line that ends it.
    ///
    /// - Throws: ``FailureClass/upstreamError`` if the arguments of a tool call are no JSON object.
    public func end(_ usage: Usage?, _ durations: OllamaDurations, at time: Int) throws(ProviderError) -> [UInt8] {
        let calls = try message.encodedToolCalls()
        let lines = calls.isEmpty ? [] : message.line(at: time, toolCalls: calls)
        return lines + message.line(at: time, end: (usage, durations))
    }

    /// A line without content, which breaks the silence of a stream.
    public static func keepAlive(_ format: WireFormat, model: String, at time: Int) -> [UInt8] {
        OllamaMessageWriter(format, model: model).line(at: time)
    }
}

extension OllamaChat {
    /// The response to a request that only loads a model, or unloads it.
    public static func loaded(_ format: WireFormat, model: String, isUnloaded: Bool, at time: Int) -> [UInt8] {
        OllamaMessageWriter(format, model: model).line(at: time, doneReason: isUnloaded ? "unload" : "load")
    }
}
