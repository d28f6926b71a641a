import Codecs
import ProviderKit
import Synchronization

/// A provider with a small format of its own. It can break one rule of the conformance suite, which is given by name.
///
/// Its responses are objects of the members `text`, `think`, `token`, `refusal`, `tool` with `id`, `args`, `usage`,
/// `finish` and `error`: one object, or one in each event or line of a stream, whose end is `[DONE]` or `{"end":…}`.
struct FakeProvider: Provider {
    static let format = WireFormat("fake")

    let broken: String?
    private let shared = Shared()

    init(breaking rule: String?) { broken = rule }

    func breaks(_ rule: String) -> Bool { broken == rule }

    let canContinue = true
    let origin: Origin? = Origin(isTLS: false, host: "127.0.0.1", port: 1)
    private let key = Secret("sk-0123456789")

    var authentication: Authentication {
        .fields(breaks("a credential is a secret") ? [HTTPField("authorization", "Bearer abc")] : [HTTPField("x-api-key", key)])
    }

    var secrets: [Secret] { breaks("each secret of the authentication is masked") ? [] : [key] }

    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] {
        if breaks("a provider serves chat") { return [] }
        return breaks("a provider names each format once") ? [Self.format, Self.format] : [Self.format]
    }

    // MARK: Requests

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        if breaks("a request can be made") { throw ProviderError(.unsupported, message: "no") }
        if call.continuation != nil, breaks("a continuation can be requested") { throw ProviderError(.unsupported, message: "no") }
        if case .chat(let chat) = call.payload, chat.hasMedia {
            let rule = "a request that can't be expressed is of the class 'unsupported', and the error says what can't be"
            throw ProviderError(breaks(rule) ? .clientError : .unsupported, message: "media can't be sent to this provider")
        }
        var target = breaks("the target of a request is a path") ? "chat" : "/chat"
        if breaks("the target of a request is visible ASCII") { target += "/a b" }
        if breaks("no secret is in the target or in the body") { target += "?key=\(key.reveal())" }
        var bytes: [BodySource] = [.bytes(self.body(of: call, body))]
        if breaks("ranges of the client's body lie inside it") { bytes.append(.client(0..<100_000)) }
        return UpstreamRequest(target: target, fields: fields, body: bytes)
    }

    private var fields: [HTTPField] {
        var fields = [HTTPField("content-type", "application/json")]
        if !breaks("a request asks for a body without a content coding") { fields.append(HTTPField("accept-encoding", "identity")) }
        if breaks("header fields have names that are tokens, and values on one line") { fields.append(HTTPField("x", "a\r\nb")) }
        if breaks("the fields of the connection are left to the router") { fields.append(HTTPField("Host", "example.com")) }
        if breaks("the description of a request shows no secret") { fields.append(HTTPField("x-key", key.reveal())) }
        return fields
    }

    private func body(of call: Call, _ body: RawSpan) -> [UInt8] {
        var members: [(key: String, json: [UInt8])] = []
        func set(_ key: String, _ json: [UInt8], over: Bool = true) {
            if let index = members.firstIndex(where: { $0.key == key }) {
                if over { members[index].json = json }
            } else {
                members.append((key, json))
            }
        }
        if !breaks("a request names the policy's model") { set("model", Array("\"\(call.model)\"".utf8)) }
        if !breaks("a streamed request differs from one that isn't") { set("stream", Array("\(call.isStream)".utf8)) }
        if !breaks("a continuation in a format without messages contains the text so far") { set("messages", messages(of: call)) }
        if breaks("the same call makes the same request") {
            set("count", Array("\(shared.count.add(1, ordering: .relaxed).newValue)".utf8))
        }
        if case .members(let given) = call.payload, !breaks("unknown members pass through") {
            for member in given { set(JSON.string(member.key, in: body), Array(copying: member.value.range, of: body), over: false) }
        }
        if !breaks("'request_defaults' are added") {
            for field in call.defaults { set(field.key, field.json, over: breaks("the client's member wins over 'request_defaults'")) }
        }
        for field in call.overrides { set(field.key, field.json, over: !breaks("'request_overrides' win over the client's member")) }
        if !breaks("a null in 'request_overrides' removes the client's member") { members.removeAll { $0.json == Array("null".utf8) } }
        if breaks("'request_overrides' win over the client's member") { members.removeAll { $0.key == "x" } }
        let text = members.map { "\"\($0.key)\":\(String(decoding: $0.json, as: UTF8.self))" }.joined(separator: ",")
        return Array("{\(text)}\(breaks("a request is JSON") ? "," : "")".utf8)
    }

    private func messages(of call: Call) -> [UInt8] {
        var writer = JSONWriter()
        writer.array {
            if breaks("another provider's token is not sent"), case .chat(let chat) = call.payload { $0.string("\(chat)") }
            guard let text = call.continuation else { return }
            $0.object {
                let isWrong = breaks("the last message of a continuation is the assistant's, with exactly the text so far")
                $0.member("role", isWrong ? "user" : "assistant")
                $0.key("content")
                if breaks("a continuation is JSON") { $0.raw(Array("\"\(text)\"".utf8)) } else { $0.string(text) }
            }
        }
        return writer.bytes
    }

    // MARK: Responses

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        switch head.bodyForm {
        case .eventStream, .jsonLines, .jsonObject: break
        case .markup where breaks("a page of HTML is a failure"): return Acceptor()
        case .other where breaks("a body of an unknown form is a failure"): return Acceptor()
        case nil where breaks("an empty body is a failure"): return Acceptor()
        default: throw ProviderError(.upstreamError, message: "unreadable")
        }
        return FakeDecoder(self, call, head.bodyForm, shared)
    }

    func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        var error = openAIFailure(head: head, body: body)
        switch broken {
        case "a refusal keeps its status": error.status = 200
        case "a refusal has a message": error.message = ""
        case "the message of a refusal shows no secret": error.message = key.reveal()
        case "a failed server is not the client's mistake" where head.status >= 500: error.failure = .clientError
        case "a refusal is not the router's own failure": error.failure = .routerLimit
        case "a refused key is the provider's refusal", "a limit is a limit", "a missing model is a missing model",
            "a failed server is the upstream's error", "a recorded refusal has its class":
            error.failure = .contextOverflow
        case "a wait in 'retry-after' is read", "a recorded refusal has its wait": error.retryAfter = nil
        default: break
        }
        return error
    }

    /// What the decoders of one provider share, which they shouldn't.
    final class Shared: Sendable {
        let count = Atomic(0)
    }

    /// Takes anything for a response.
    private struct Acceptor: ResponseDecoder {
        mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { bytes.byteCount }
        mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {}
    }
}

extension ChatRequest {
    fileprivate var hasMedia: Bool {
        messages.contains { $0.parts.contains { if case .media = $0.content { true } else { false } } }
    }
}
