import Codecs
import ProviderConformance
import ProviderKit
import Testing

@Suite("the suite of every provider finds what breaks its rules")
struct ConformanceTests {
    @Test(
        "a provider that says it can continue, and doesn't",
        arguments: [
            (FakeProvider.Fault.forgetsText, "a continuation's last message is not the assistant's with the text so far"),
            (.otherRole, "a continuation's last message is not the assistant's with the text so far"),
            (.unescapedText, "a continuation's body is no JSON"),
            (.refuses, "a continuation is refused"), (.noMessages, "a continuation's body doesn't hold the text so far"),
        ])
    func continuations(fault: FakeProvider.Fault, violation: String) {
        let requests = [Array(#"{"model":"a","messages":[{"role":"user","content":"hi"}]}"#.utf8)]
        #expect(
            ProviderConformance(provider: FakeProvider(fault: fault), responses: [], requests: requests).violations().contains {
                $0.hasPrefix(violation)
            })
        #expect(ProviderConformance(provider: FakeProvider(fault: .none), responses: [], requests: requests).violations() == [])
    }

    @Test(
        "a decoder that keeps the wrong text",
        arguments: [
            (FakeProvider.Fault.keepsUnasked, "a: its text is kept, which nobody asked for"),
            (.keepsHalf, "a: the text that is kept is not the response's"),
            (.keepsByRead, "a: byte by byte, it reads differently"),
            (.changesWhenKeeping, "a: it reads differently where its text is kept"),
        ])
    func texts(fault: FakeProvider.Fault, violation: String) {
        let response = ProviderConformance.Answer("a", isStream: true, head: UpstreamHead(status: 200), bytes: Array("abc\n".utf8))
        #expect(
            ProviderConformance(provider: FakeProvider(fault: fault), responses: [response], requests: []).violations().contains(violation))
        #expect(ProviderConformance(provider: FakeProvider(fault: .none), responses: [response], requests: []).violations() == [])
    }
}

/// Sends the client's messages, and reads one line of text.
struct FakeProvider: Provider {
    enum Fault {
        case none, forgetsText, otherRole, unescapedText, refuses, noMessages
        case keepsUnasked, keepsHalf, keepsByRead, changesWhenKeeping
    }

    var fault: Fault
    let capabilities = Capabilities(operations: [.chat], canContinue: true)
    let origin: Origin? = Origin(isTLS: false, host: "127.0.0.1", port: 1)

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
        if keepsText || fault == .keepsUnasked {
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
