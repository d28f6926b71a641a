import Engine
import HTTPWire
import NIOCore
import ProviderKit

/// What a chat says, for its spans.
extension Exchange {
    /// How much of a response is read: as sent, a stream is several times as long as its text. A longer one that isn't
    /// streamed can't be read.
    static let maxExportedBodyBytes = 256 << 10

    /// Whether the policy exports what chats say.
    var exportsContent: Bool { snapshot.policy.telemetry.otlp?.content == true }

    /// The request and its response as typed values; nil if the request led to no call, isn't a chat, or can't be read.
    var chatContent: ChatContent? {
        guard let call, call.request.operation == .chat, let decoder = face.chatDecoder else { return nil }
        let body = server.body
        let payload: Payload
        do throws(ProviderError) { payload = try call.request.kind.translate(body.readableBytesSpan) } catch { return nil }
        guard case .chat(let request) = payload else { return nil }
        return ChatContent(request: request, response: Self.events(in: server.keptBody, of: request, call.request, decoder))
    }

    /// What the client got of a response, which may have been cut off.
    private static func events(
        in bytes: [UInt8], of request: ChatRequest, _ asked: CallRequest, _ decoder: Face.MakeDecoder
    ) -> [ChatEvent] {
        let span = bytes.span.bytes
        guard let form = BodyForm(span, contentType: nil, isStream: asked.isStream) else { return [] }
        var sink = ResponseSink()
        do throws(ProviderError) {
            // A client with another format makes the events typed.
            var decoder = try decoder(
                Call(
                    operation: .chat, model: "", isStream: asked.isStream, format: WireFormat("spans"), payload: .chat(request),
                    upstreamFormat: asked.kind.format),
                UpstreamHead(status: 200, bodyForm: form))
            let consumed = try decoder.decode(span, into: &sink)
            try decoder.finish(span.extracting(consumed...), into: &sink)
        } catch {
            // What came before the failure was sent.
        }
        return sink.parts.compactMap { if case .event(let event) = $0 { event } else { nil } }
    }
}
