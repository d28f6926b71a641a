import ProviderKit

/// Reads the demo's own JSON lines.
struct DemoDecoder: AnswerDecoder {
    private let model: String
    private let keepsText: Bool
    private var lines = NDJSONDecoder()
    private var hasStarted = false
    private var isComplete = false

    init(model: String, keepsText: Bool) {
        self.model = model
        self.keepsText = keepsText
    }

    mutating func decode(_ bytes: RawSpan, into answer: inout AnswerSink) throws(ProviderError) -> Int {
        do throws(NDJSONError) {
            while let line = try lines.nextLine(bytes) { read(line, bytes, &answer) }
        } catch {
            throw ProviderError(.upstreamError, message: "the demo provider sent a broken line: \(error)")
        }
        return lines.consume()
    }

    mutating func finish(_ bytes: RawSpan, into answer: inout AnswerSink) throws(ProviderError) {
        guard isComplete else { throw .truncated("the demo provider stopped before its end") }
    }

    private mutating func read(_ line: Range<Int>, _ bytes: RawSpan, _ answer: inout AnswerSink) {
        let line = bytes.extracting(line)
        guard let members = try? JSON.members(of: line) else { return }
        if !hasStarted { answer.event(.start(id: nil, model: model)) }
        hasStarted = true
        var usage = Usage()
        var reason = FinishReason.stop
        for member in members {
            if JSON.isKey(member.key, "text", in: line) { text(JSON.string(member.value.range, in: line), &answer) }
            if JSON.isKey(member.key, "tool", in: line) { toolCall(JSON.string(member.value.range, in: line), &answer) }
            if JSON.isKey(member.key, "prompt_tokens", in: line) { usage.promptTokens = JSON.integer(member.value, in: line) }
            if JSON.isKey(member.key, "completion_tokens", in: line) { usage.completionTokens = JSON.integer(member.value, in: line) }
            if JSON.isKey(member.key, "done", in: line) {
                isComplete = true
                reason = FinishReason(rawValue: JSON.string(member.value.range, in: line)) ?? .stop
            }
        }
        guard isComplete else { return }
        answer.event(.finish(reason))
        answer.usage(usage)
        answer.complete()
    }

    private func text(_ text: String, _ answer: inout AnswerSink) {
        answer.event(.text(text))
        if keepsText { answer.keep(text: text) }
    }

    private func toolCall(_ name: String, _ answer: inout AnswerSink) {
        answer.event(.toolCall(index: 0, id: "call_demo", name: name))
        answer.event(.toolArguments(index: 0, fragment: "{}"))
    }
}
