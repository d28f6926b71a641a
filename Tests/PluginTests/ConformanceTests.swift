import Codecs
import ProviderConformance
import ProviderKit
import Testing

@Suite("the conformance suite finds violations of its rules")
struct ConformanceTests {
    @Test(
        "a provider that claims to continue, but doesn't, is found",
        arguments: [
            (FakeProvider.Fault.forgetsText, "the last message of a continuation is not the assistant's with the text so far"),
            (.otherRole, "the last message of a continuation is not the assistant's with the text so far"),
            (.unescapedText, "the body of a continuation is not JSON"),
            (.refuses, "a continuation is refused"), (.noMessages, "the body of a continuation doesn't contain the text so far"),
        ])
    func continuations(fault: FakeProvider.Fault, violation: String) {
        let requests = [ProviderConformance.Request.body(#"{"model":"a","messages":[{"role":"user","content":"hi"}]}"#)]
        #expect(
            ProviderConformance(provider: FakeProvider(fault: fault), responses: [], requests: requests).violations().contains {
                $0.hasPrefix(violation)
            })
        #expect(ProviderConformance(provider: FakeProvider(fault: .none), responses: [], requests: requests).violations() == [])
    }

    @Test(
        "a decoder that collects the wrong text is found",
        arguments: [
            (FakeProvider.Fault.keepsAlways, "a: its text is collected although 'keepsText' is false"),
            (.keepsHalf, "a: the collected text is not the text of the response"),
            (.keepsByRead, "a: byte by byte, it decodes differently"),
            (.changesWhenKeeping, "a: it decodes differently if its text is collected"),
        ])
    func texts(fault: FakeProvider.Fault, violation: String) {
        let response = ProviderConformance.RecordedResponse(
            "a", isStream: true, head: UpstreamHead(status: 200), bytes: Array("abc\n".utf8))
        #expect(
            ProviderConformance(provider: FakeProvider(fault: fault), responses: [response], requests: []).violations().contains(violation))
        #expect(ProviderConformance(provider: FakeProvider(fault: .none), responses: [response], requests: []).violations() == [])
    }
}

/// A provider that sends the client's messages and reads one line of text, with one fault.
struct FakeProvider: Provider {
    enum Fault {
        case none, forgetsText, otherRole, unescapedText, refuses, noMessages
        case keepsAlways, keepsHalf, keepsByRead, changesWhenKeeping
    }

    var fault: Fault
    let canContinue = true
    let origin: Origin? = Origin(isTLS: false, host: "127.0.0.1", port: 1)

    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] { [WireFormat("fake")] }

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("model", call.model)
        if fault == .noMessages { return UpstreamRequest(target: "/", fields: [], body: [.bytes(writer.bytes + [UInt8(ascii: "}")])]) }
        if fault == .refuses, call.continuation != nil { throw ProviderError(.unsupported, message: "no") }
        writer.key("messages")
        writer.array {
            guard let text = call.continuation, fault != .forgetsText else { return }
            $0.object {
                $0.member("role", fault == .otherRole ? "user" : "assistant")
                $0.key("content")
                if fault == .unescapedText { $0.raw(Array("\"\(text)\"".utf8)) } else { $0.string(text) }
            }
        }
        writer.endObject()
        return UpstreamRequest(target: "/", fields: [], body: [.bytes(writer.bytes)])
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        FakeDecoder(fault: fault, keepsText: call.keepsText)
    }
}

private struct FakeDecoder: ResponseDecoder {
    let fault: FakeProvider.Fault
    let keepsText: Bool
    private var reads = 0

    init(fault: FakeProvider.Fault, keepsText: Bool) {
        self.fault = fault
        self.keepsText = keepsText
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        reads += 1
        let text = bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        guard text.hasSuffix("\n") else { return 0 }
        response.event(.text(text))
        if fault == .changesWhenKeeping, keepsText { response.event(.reasoning("x")) }
        if keepsText || fault == .keepsAlways {
            response.keep(text: fault == .keepsHalf ? String(text.dropLast()) : text)
            if fault == .keepsByRead { response.keep(text: "\(reads)") }
        }
        response.event(.finish(.stop))
        response.complete()
        return bytes.byteCount
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        throw .truncated("cut")
    }
}
