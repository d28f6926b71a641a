import Codecs
import ProviderKit

/// The result of decoding a response, as a value to compare.
struct DecodedResponse: Equatable {
    /// The parts, as texts that don't depend on where they stand in the bytes.
    private(set) var parts: [String] = []
    /// What the response says, whatever its parts are.
    private(set) var meaning = Meaning()
    /// Breaches of what holds for every decoder.
    private(set) var breaches = Breaches()
    /// The text that the decoder has collected.
    var text: String?

    struct Meaning: Equatable {
        var text = "", reasoning = ""
        var tools: [Tool] = []
        var tokens: [OpaqueToken] = []
        var finish: FinishReason?
        var usage: Usage?
        /// nil: the response is complete.
        var error: FailureClass?
        /// The bytes of content that the parts signal.
        var content = 0
        /// The number of choices that have ended.
        var finishes = 0
        var isFiltered = false
        var hasToolCall = false
    }

    struct Tool: Equatable {
        var id: String
        var name: String
        var arguments = ""
    }

    struct Breaches: Equatable {
        var range = false, consumed = false, json = false, frame = false, order = false
    }

    /// - Parameter cuts: where the bytes are cut, in ascending order.
    init(_ response: ProviderConformance.RecordedResponse, cuts: [Int] = [], _ provider: any Provider, _ call: Call) {
        var reading = Reading(response, provider, call)
        for end in cuts + [response.bytes.count] { reading.read(upTo: end, self: &self) }
        reading.finish(self: &self)
    }

    /// Decodes a response several times at once: each reading goes on after all others have read the same part.
    static func inTurn(
        _ response: ProviderConformance.RecordedResponse, count: Int, _ provider: any Provider, _ call: Call
    ) -> [DecodedResponse] {
        var readings = (0..<count).map { _ in Reading(response, provider, call) }
        var results = Array(repeating: DecodedResponse(), count: count)
        for end in [response.bytes.count / 3, response.bytes.count / 3 * 2, response.bytes.count] {
            for index in readings.indices { readings[index].read(upTo: end, self: &results[index]) }
        }
        for index in readings.indices { readings[index].finish(self: &results[index]) }
        return results
    }

    private init() {}

    /// A decoder on its way through a response.
    private struct Reading {
        private let bytes: [UInt8]
        private var decoder: (any ResponseDecoder)?
        private var failure: ProviderError?
        private var sink = ResponseSink()
        private var pending: [UInt8] = []
        private var start = 0

        init(_ response: ProviderConformance.RecordedResponse, _ provider: any Provider, _ call: Call) {
            bytes = response.bytes
            var head = response.head
            head.bodyForm = BodyForm(bytes.span.bytes, contentType: head["content-type"], isStream: call.isStream)
            do throws(ProviderError) { decoder = try provider.decoder(for: call, head: head) } catch { failure = error }
        }

        mutating func read(upTo end: Int, self result: inout DecodedResponse) {
            guard failure == nil, !sink.isComplete, end > start else { return }
            pending += bytes[start..<end]
            start = end
            let unread = pending
            do throws(ProviderError) {
                let consumed = try decoder?.decode(unread.span.bytes, into: &sink) ?? 0
                result.take(&sink, pending)
                if !(0...pending.count).contains(consumed) { result.breaches.consumed = true }
                pending.removeFirst(max(0, min(consumed, pending.count)))
            } catch {
                result.take(&sink, pending)
                failure = error
            }
        }

        mutating func finish(self result: inout DecodedResponse) {
            if failure == nil, !sink.isComplete {
                let unread = pending
                do throws(ProviderError) { try decoder?.finish(unread.span.bytes, into: &sink) } catch { failure = error }
                result.take(&sink, pending)
            }
            result.meaning.error = failure?.failure
            result.meaning.usage = sink.usage
            result.text = sink.text
        }
    }

    // MARK: Parts

    private mutating func take(_ sink: inout ResponseSink, _ bytes: [UInt8]) {
        for part in sink.parts {
            count(part.signals)
            switch part {
            case .chunk(let chunk):
                let json = text(chunk.json, of: bytes)
                checkChunk(json)
                if let frame = chunk.frame { check(frame, of: chunk, bytes) }
                parts.append("chunk \(json) \(chunk.signals)")
            case .joined(let json, let signals):
                checkChunk(String(decoding: json, as: UTF8.self))
                parts.append("chunk \(String(decoding: json, as: UTF8.self)) \(signals)")
            case .buffered(let json, let signals): parts.append("buffered \(text(json, of: bytes)) \(signals)")
            case .event(let event):
                add(event)
                parts.append("\(event)")
            case .embeddings(let response): parts.append("\(response)")
            case .count(let tokens): parts.append("count \(tokens)")
            case .payload(let range, let type, _):
                // How the bytes are divided means nothing.
                let kind = "payload of \(type): "
                if parts.last?.hasPrefix(kind) != true { parts.append(kind) }
                parts[parts.count - 1] += text(range, of: bytes)
            }
        }
        sink.removeParts()
    }

    private mutating func count(_ signals: Signals) {
        meaning.content &+= signals.contentBytes
        meaning.finishes &+= signals.finishes
        if signals.isFiltered { meaning.isFiltered = true }
        if signals.hasToolCall { meaning.hasToolCall = true }
    }

    private mutating func text(_ range: Range<Int>, of bytes: [UInt8]) -> String {
        guard range.clamped(to: bytes.indices) == range else {
            breaches.range = true
            return ""
        }
        return String(decoding: bytes[range], as: UTF8.self)
    }

    /// The JSON of a chunk is one object on one line.
    private mutating func checkChunk(_ json: String) {
        let bytes = Array(json.utf8)
        if bytes.first != ASCII.openBrace || bytes.contains(ASCII.lineFeed) || bytes.contains(ASCII.carriageReturn) { breaches.json = true }
        if (try? JSON.validate(bytes.span.bytes)) == nil { breaches.json = true }
    }

    /// A frame contains its chunk and has no CR. An event ends with a blank line, and a line is the chunk and its end.
    private mutating func check(_ frame: Range<Int>, of chunk: PassthroughChunk, _ bytes: [UInt8]) {
        let event = text(frame, of: bytes)
        let isWhole = frame.lowerBound <= chunk.json.lowerBound && chunk.json.upperBound <= frame.upperBound
        let ends = event.utf8.first == ASCII.openBrace ? event == text(chunk.json, of: bytes) + "\n" : event.hasSuffix("\n\n")
        if !isWhole || event.utf8.contains(ASCII.carriageReturn) || !ends { breaches.frame = true }
    }

    /// Events come in their order, and tool calls are counted from 0.
    private mutating func add(_ event: ChatEvent) {
        if meaning.finish != nil { breaches.order = true }
        switch event {
        case .start: if !parts.isEmpty { breaches.order = true }
        case .text(let more): meaning.text += more
        case .reasoning(let more): meaning.reasoning += more
        case .reasoningToken(let token): meaning.tokens.append(token)
        case .toolCall(let index, let id, let name):
            if index != meaning.tools.count { breaches.order = true }
            meaning.tools.append(Tool(id: id, name: name))
        case .toolArguments(let index, let fragment):
            guard meaning.tools.indices.contains(index) else { return breaches.order = true }
            meaning.tools[index].arguments += fragment
        case .finish(let reason, _): meaning.finish = reason
        case .citation, .refusal, .logprobs: break
        }
    }
}
