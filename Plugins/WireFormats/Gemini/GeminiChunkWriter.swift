public import ProviderKit

/// Writes typed events as the chunks of a stream.
public struct GeminiChunkWriter: Sendable {
    private var output: GeminiOutput

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - id: the request's id, for responses whose provider sends no id.
    ///   - model: the name of the model, for providers that send none.
    ///   - includesThoughts: whether the client gets the model's reasoning in words; see ``Gemini/wantsThoughts(_:)``.
    public init(id: String, model: String, includesThoughts: Bool) {
        output = GeminiOutput(id: id, model: model, includesThoughts: includesThoughts)
    }

    /// The event's chunk; nil if it has none, because it is written with a later one.
    public mutating func chunk(_ event: ChatEvent) -> [UInt8]? {
        output.add(event)
        let parts = output.takeParts()
        if parts.isEmpty { return nil }
        let tokens = output.takeTokens()
        return output.object(parts, isEnd: false, nil, tokens)
    }

    /// The last chunk, after ``chunk(_:)`` of all events.
    ///
    /// - Parameter usage: nil if it is unknown.
    public mutating func end(_ usage: Usage?) -> [UInt8] {
        let rest = output.takeRest(), tokens = output.takeTokens()
        return output.object(rest, isEnd: true, usage, tokens)
    }
}

/// Folds typed events into one response.
public struct GeminiObjectWriter: Sendable {
    private var output: GeminiOutput

    /// Creates a writer, with the arguments of ``GeminiChunkWriter``.
    public init(id: String, model: String, includesThoughts: Bool) {
        output = GeminiOutput(id: id, model: model, includesThoughts: includesThoughts)
    }

    /// Adds an event.
    public mutating func add(_ event: ChatEvent) { output.add(event) }

    /// The response.
    ///
    /// - Parameter usage: nil if it is unknown.
    public func response(_ usage: Usage?) -> [UInt8] {
        var output = output
        let parts = output.takeRest(), tokens = output.takeTokens()
        return output.object(parts, isEnd: true, usage, tokens)
    }
}
