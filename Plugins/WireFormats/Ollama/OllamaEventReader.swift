import Codecs
import ProviderKit

/// Reads typed events from the lines of a stream, or from one object.
struct OllamaEventReader {
    private var hasStarted = false
    private var toolCalls = 0

    mutating func read(_ line: OllamaLine, _ bytes: RawSpan, _ response: inout ResponseSink) throws(ProviderError) {
        if !hasStarted {
            hasStarted = true
            response.event(.start(id: nil, model: line.model.map { JSON.string($0, in: bytes) }))
        }
        if let thinking = line.thinking, thinking.count > 2 { response.event(.reasoning(JSON.string(thinking, in: bytes))) }
        if let text = line.text, text.count > 2 { response.event(.text(JSON.string(text, in: bytes))) }
        for call in line.toolCalls.flatMap({ JSONTree(bytes.extracting($0))?.elements }) ?? [] { add(call, line, bytes, &response) }
        guard line.isDone else { return }
        response.note(line.signals(in: bytes))
        try response.requireContentOrReason()
        let reason = line.finishReason(in: bytes) ?? .stop
        response.event(.finish(reason == .stop && toolCalls > 0 ? .toolCalls : reason))
    }

    private mutating func add(_ call: JSONTree, _ line: OllamaLine, _ bytes: RawSpan, _ response: inout ResponseSink) {
        guard let function = call["function"], let name = function["name"]?.string else { return }
        let given = call["id"]?.string ?? ""
        response.event(.toolCall(index: toolCalls, id: given.isEmpty ? madeID(line, bytes) : given, name: name))
        // Some servers send the text of the arguments, as OpenAI's do.
        let arguments = function["arguments"].flatMap { $0.isNull ? nil : $0 }
        let text = arguments?.string ?? arguments.map { String(decoding: $0.encoded, as: UTF8.self) } ?? "{}"
        response.event(.toolArguments(index: toolCalls, fragment: text))
        toolCalls += 1
    }

    /// An id for a tool call of an old server, which no other call of the conversation has: the time of the response is
    /// in it, as a hash. Source: RFC draft-eastlake-fnv, FNV-1a with 64 bits.
    private func madeID(_ line: OllamaLine, _ bytes: RawSpan) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for place in line.created ?? 0..<0 { hash = (hash ^ UInt64(bytes.byte(place))) &* 0x100_0000_01B3 }
        return "call_\(String(hash, radix: 36))_\(toolCalls)"
    }
}
