import Codecs
import Engine
import HTTPWire
import OpenAICompatible
import ProviderKit
import WireFormats

@testable import Gateway

/// A chat request is refused for its JSON if and only if it is not one valid object. The request that goes upstream is
/// one valid object with the same members, except for `model` and `stream_options`, and reads back as equal.
func checkChatRequest(_ bytes: [UInt8]) throws {
    let isObject = (try? JSON.members(of: bytes.span.bytes)) != nil
    let request: RequestOutline
    do throws(APIError) { request = try RequestOutline(bytes.span.bytes) } catch {
        try ensure(error.status == 400 && !error.message.isEmpty, "it is refused with \(error)")
        return try ensure((error.code == "invalid_json") == !isObject, "its refusal is \(error.code ?? ""), is it valid JSON: \(isObject)")
    }
    try ensure(isObject, "it is accepted although it is not valid JSON")

    let call = Call(
        operation: .chat, model: "up", isStream: request.isStream, format: OpenAIChat.format, payload: request.payload)
    let sent = try OpenAICompatibleProvider.openAI.request(for: call, body: bytes.span.bytes).body.flatMap { source -> [UInt8] in
        switch source {
        case .bytes(let bytes): bytes
        case .client(let range): Array(bytes[range])
        }
    }
    let again = try RequestOutline(sent.span.bytes)
    try ensure(again.models == ["up"], "it asks for \(again.models)")
    try ensure(
        again.isStream == request.isStream && again.choices == request.choices && again.needs == request.needs,
        "what is sent means something else: \(String(decoding: sent, as: UTF8.self))")
    try ensure(unchanged(again.payload, sent) == unchanged(request.payload, bytes), "a member changes on its way")
    try ensure(again.overrides == nil, "routing overrides go upstream")
}

/// The members that go upstream as they are.
private func unchanged(_ payload: Payload, _ body: [UInt8]) -> [[ArraySlice<UInt8>]] {
    guard case .members(let members) = payload else { return [] }
    return members.filter {
        !JSON.isKey($0.key, "model", in: body.span.bytes) && !JSON.isKey($0.key, "stream_options", in: body.span.bytes)
    }
    .map { [body[$0.key], body[$0.value.range]] }
}
