import ProviderKit

@testable import WireFormats

/// A response in OpenAI's format has the same typed events wherever its bytes are cut, and the events of a complete
/// one, written as a stream, read back as equal.
///
/// The first byte chooses the form of the body.
func checkOpenAIEvents(_ bytes: [UInt8]) throws {
    guard let first = bytes.first else { return }
    let form = forms[Int(first) % forms.count]
    let response = try sameForEverySplit(of: Array(bytes.dropFirst())) { Events($0, form) }
    guard response.isComplete, response.failure == nil else { return }
    var writer = OpenAIChunkWriter(id: "r", created: 1, model: "m")
    var stream: [UInt8] = []
    for event in response.events {
        if let chunk = writer.chunk(event) { stream += Array("data: ".utf8) + chunk + Array("\n\n".utf8) }
    }
    stream += Array("data: [DONE]\n\n".utf8)
    let again = Events([stream[...]], .eventStream)
    try ensure(again.isComplete && again.folded == response.folded, "\(response.events) reads back as \(again)")
}

private let forms: [BodyForm] = [.eventStream, .jsonLines, .jsonObject, .jsonArray]

private struct Events: Equatable {
    var events: [ChatEvent] = []
    var isComplete = false
    var failure: FailureClass?

    /// The events with the arguments of each call behind it, as one. The id and the model are the writer's if the
    /// response has none, and so are arguments, because clients must be able to read them as JSON.
    var folded: [ChatEvent] {
        var arguments: [Int: String] = [:]
        for case .toolArguments(let index, let fragment) in events { arguments[index, default: ""] += fragment }
        return events.flatMap { event in
            switch event {
            case .start, .toolArguments: [] as [ChatEvent]
            case .toolCall(let index, _, _): [event, .toolArguments(index: index, fragment: arguments[index] ?? "{}")]
            default: [event]
            }
        }
    }

    init(_ chunks: [ArraySlice<UInt8>], _ form: BodyForm) {
        let call = Call(
            operation: .chat, model: "m", isStream: true, format: WireFormat("other"), payload: .chat(ChatRequest(messages: [])))
        var sink = ResponseSink(), pending: [UInt8] = []
        do throws(ProviderError) {
            var decoder = try OpenAIChat.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: form))
            for chunk in chunks where !sink.isComplete {
                pending += chunk
                let consumed = try decoder.decode(pending.span.bytes, into: &sink)
                pending.removeFirst(consumed)
            }
            if !sink.isComplete { try decoder.finish(pending.span.bytes, into: &sink) }
        } catch { failure = error.failure }
        events = sink.parts.compactMap { if case .event(let event) = $0 { event } else { nil } }
        isComplete = sink.isComplete
    }
}
