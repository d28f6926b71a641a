import Codecs
import ProviderKit

/// Reads typed events from the events of a stream, or from a message.
///
/// Blocks of server tools have no typed events, and are left out: no other format has them.
struct AnthropicEventReader {
    /// The block that is open.
    private enum Block {
        case text
        case thinking(signature: String)
        /// The tool call's index, and its input at the start of the block, which counts if nothing follows.
        case tool(Int, input: [UInt8]?)
        case other
    }

    private let call: Call
    private var hasStarted = false
    private var hasEnded = false
    private var toolCalls = 0
    /// The length of the text so far, and before the latest block of text, in Unicode scalars.
    private var textLength = 0
    private var blockStart = 0
    private var open: [Int: Block] = [:]
    private var reason = FinishReason.stop
    private var stopSequence: String?

    init(_ call: Call) {
        self.call = call
    }

    mutating func read(_ event: AnthropicEvent, _ bytes: RawSpan, _ response: inout ResponseSink) {
        switch event.kind {
        case .blockDelta: readDelta(event, bytes, &response)
        case .blockStart:
            guard let block = event.block.flatMap({ JSONTree(bytes.extracting($0)) }) else { return }
            begin(block, at: event.index, &response)
        case .blockStop: end(blockAt: event.index, &response)
        case .messageStart: start(event.message.flatMap { JSONTree(bytes.extracting($0)) }, &response)
        case .messageDelta:
            if let text = event.stopReason { reason = AnthropicStopReason.finishReason(JSON.string(text, in: bytes)) ?? .stop }
            if let text = event.stopSequence { stopSequence = JSON.string(text, in: bytes) }
        case .messageStop, .error, .other: break
        }
    }

    mutating func read(message: JSONTree, _ response: inout ResponseSink) {
        start(message, &response)
        for (index, block) in (message["content"]?.elements ?? []).enumerated() {
            begin(block, at: index, &response)
            end(blockAt: index, &response)
        }
        if let text = message["stop_reason"]?.string { reason = AnthropicStopReason.finishReason(text) ?? .stop }
        stopSequence = message["stop_sequence"]?.string
    }

    /// The response is complete.
    mutating func end(_ response: inout ResponseSink) {
        guard !hasEnded else { return }
        hasEnded = true
        for index in open.keys.sorted() { end(blockAt: index, &response) }
        response.event(.finish(reason, stopSequence: stopSequence))
    }

    private mutating func start(_ message: JSONTree?, _ response: inout ResponseSink) {
        guard !hasStarted else { return }
        hasStarted = true
        response.event(.start(id: message?["id"]?.string, model: message?["model"]?.string))
    }

    private mutating func begin(_ block: JSONTree, at index: Int, _ response: inout ResponseSink) {
        start(nil, &response)
        switch block["type"]?.string {
        case "text":
            open[index] = .text
            blockStart = textLength
            if let text = block["text"]?.string, !text.isEmpty { add(text, &response) }
            for citation in block["citations"]?.elements ?? [] { add(citation, &response) }
        case "thinking":
            open[index] = .thinking(signature: block["signature"]?.string ?? "")
            if let text = block["thinking"]?.string, !text.isEmpty { response.event(.reasoning(text)) }
        case "redacted_thinking":
            guard let data = block["data"]?.string, !data.isEmpty else { return }
            response.event(.reasoningToken(OpaqueToken(data, .encrypted, madeFor: call)))
        case "tool_use":
            let input = block["input"].flatMap { $0.members?.isEmpty == false ? $0.encoded : nil }
            open[index] = .tool(toolCalls, input: input)
            response.event(
                .toolCall(index: toolCalls, id: block["id"]?.string ?? call.toolID(toolCalls, of: nil), name: block["name"]?.string ?? ""))
            toolCalls += 1
        default: open[index] = .other
        }
    }

    private mutating func readDelta(_ event: AnthropicEvent, _ bytes: RawSpan, _ response: inout ResponseSink) {
        guard let (kind, range) = event.delta, range.count > 2 else { return }
        switch kind {
        case .text: add(JSON.string(range, in: bytes), &response)
        case .thinking: response.event(.reasoning(JSON.string(range, in: bytes)))
        case .json:
            guard case .tool(let tool, _)? = open[event.index] else { return }
            open[event.index] = .tool(tool, input: nil)
            response.event(.toolArguments(index: tool, fragment: JSON.string(range, in: bytes)))
        case .signature:
            guard case .thinking(let signature)? = open[event.index] else { return }
            open[event.index] = .thinking(signature: signature + JSON.string(range, in: bytes))
        case .citation:
            if let citation = JSONTree(bytes.extracting(range)) { add(citation, &response) }
        }
    }

    private mutating func end(blockAt index: Int, _ response: inout ResponseSink) {
        switch open.removeValue(forKey: index) {
        // Another router writes a mark in the place of a token that it doesn't have.
        case .thinking(let signature) where !signature.isEmpty && signature != OpaqueToken.none:
            response.event(.reasoningToken(OpaqueToken(signature, .signature, madeFor: call)))
        case .tool(let tool, let input?):
            response.event(.toolArguments(index: tool, fragment: String(decoding: input, as: UTF8.self)))
        case .text, .thinking, .tool, .other, nil: break
        }
    }

    private mutating func add(_ text: String, _ response: inout ResponseSink) {
        textLength &+= text.unicodeScalars.count
        response.event(.text(text))
    }

    /// Adds a citation of a page for the latest block of text. Those of the client's own documents have no address.
    private func add(_ citation: JSONTree, _ response: inout ResponseSink) {
        guard let url = citation["url"]?.string, !url.isEmpty else { return }
        response.event(.citation(ChatCitation(url: url, title: citation["title"]?.string, range: blockStart..<textLength)))
    }
}
