import Codecs
public import ProviderKit

/// Folds typed events into one response.
public struct OpenAIResponsesWriter: Sendable {
    private var envelope: ResponsesEnvelope
    private var output: ResponsesOutput

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - id: the request's id, for responses whose provider sends no id of this format.
    ///   - created: in seconds since 1970.
    ///   - model: the name of the model, for providers that send none.
    ///   - settings: of the request.
    public init(id: String, created: Int, model: String, _ settings: OpenAIResponsesSettings) {
        let id = ResponsesID(id)
        envelope = ResponsesEnvelope(id: id, created: created, model: model, settings)
        output = ResponsesOutput(id, settings.tools)
    }

    /// Adds an event.
    public mutating func add(_ event: ChatEvent) {
        envelope.note(event)
        if case .finish = event { _ = output.end(isComplete: envelope.isComplete) } else { _ = output.add(event) }
    }

    /// The response. Numbers that `usage` lacks are written as 0.
    public func response(_ usage: Usage?) -> [UInt8] {
        var writer = JSONWriter(capacity: 2048)
        writer.object { envelope.write(envelope.endStatus, output.items, usage ?? Usage(), to: &$0) }
        return writer.bytes
    }
}
