import Codecs
import ProviderKit

/// Reads typed events from the lines of a stream, or from one object.
struct OllamaEventReader {
    private let call: Call
    private var hasStarted = false
    private var toolCalls = 0

    init(_ call: Call) {
        self.call = call
    }

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

    private mutating func add(_ tool: JSONTree, _ line: OllamaLine, _ bytes: RawSpan, _ response: inout ResponseSink) {
        guard let function = tool["function"], let name = function["name"]?.string else { return }
        // Old servers give none. The time of the response is in nanoseconds.
        let given = tool["id"]?.string ?? "", created = line.created.map { JSON.string($0, in: bytes) }
        response.event(.toolCall(index: toolCalls, id: given.isEmpty ? call.toolID(toolCalls, of: created) : given, name: name))
        // Some servers send the text of the arguments, as OpenAI's do.
        let arguments = function["arguments"].flatMap { $0.isNull ? nil : $0 }
        let text = arguments?.string ?? arguments.map { String(decoding: $0.encoded, as: UTF8.self) } ?? "{}"
        response.event(.toolArguments(index: toolCalls, fragment: text))
        toolCalls += 1
    }
}
