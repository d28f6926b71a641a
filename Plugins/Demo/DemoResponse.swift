import Codecs
import ProviderKit

/// Reads the demo's own JSON lines.
struct DemoDecoder: ResponseDecoder {
    private let model: String
    private let keepsText: Bool
    private var lines = NDJSONDecoder()
    private var hasStarted = false
    private var isComplete = false

    init(model: String, keepsText: Bool) {
        self.model = model
        self.keepsText = keepsText
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        do throws(NDJSONError) {
            while let line = try lines.nextLine(bytes) { read(line, bytes, &response) }
        } catch {
            throw ProviderError(.upstreamError, message: "the demo provider sent a broken line: \(error)")
        }
        return lines.consume()
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        guard isComplete else { throw .truncated("the demo provider stopped before its end") }
    }

    private mutating func read(_ line: Range<Int>, _ bytes: RawSpan, _ response: inout ResponseSink) {
        let line = bytes.extracting(line)
        guard let members = try? JSON.members(of: line) else { return }
        if !hasStarted { response.event(.start(id: nil, model: model)) }
        hasStarted = true
        var usage = Usage()
        var reason = FinishReason.stop
        for member in members {
            if JSON.isKey(member.key, "text", in: line) { text(JSON.string(member.value.range, in: line), &response) }
            if JSON.isKey(member.key, "tool", in: line) { toolCall(JSON.string(member.value.range, in: line), &response) }
            if JSON.isKey(member.key, "prompt_tokens", in: line) { usage.promptTokens = JSON.integer(member.value, in: line) }
            if JSON.isKey(member.key, "completion_tokens", in: line) { usage.completionTokens = JSON.integer(member.value, in: line) }
            if JSON.isKey(member.key, "done", in: line) {
                isComplete = true
                reason = FinishReason(rawValue: JSON.string(member.value.range, in: line)) ?? .stop
            }
        }
        guard isComplete else { return }
        response.event(.finish(reason))
        response.usage(usage)
        response.complete()
    }

    private func text(_ text: String, _ response: inout ResponseSink) {
        response.event(.text(text))
        if keepsText { response.keep(text: text) }
    }

    private func toolCall(_ name: String, _ response: inout ResponseSink) {
        response.event(.toolCall(index: 0, id: "call_demo", name: name))
        response.event(.toolArguments(index: 0, fragment: "{}"))
    }
}
