import ProviderKit

/// The result of decoding a response, as a value to compare.
struct DecodedResponse: Equatable {
    var parts: [String] = []
    var usage: Usage?
    var isComplete = false
    var error: FailureClass?
    /// The bytes of content, plus one for each typed event.
    var content = 0
    /// The number of choices that have ended.
    var finishes = 0
    /// The text that the decoder has collected.
    var text: String?
    /// The text of all typed events.
    var eventText = ""

    init(_ response: ProviderConformance.RecordedResponse, cuts: [Int], _ provider: any Provider, _ call: Call) {
        var sink = ResponseSink()
        do throws(ProviderError) {
            var head = response.head
            head.bodyForm = BodyForm(response.bytes.span.bytes, contentType: head["content-type"], isStream: call.isStream)
            var decoder = try provider.decoder(for: call, head: head)
            var pending: [UInt8] = []
            var start = 0
            for end in cuts + [response.bytes.count] where end > start || cuts.isEmpty {
                pending += response.bytes[start..<end]
                start = end
                let consumed: Int
                do throws(ProviderError) { consumed = try decoder.decode(pending.span.bytes, into: &sink) } catch {
                    take(&sink, pending)
                    throw error
                }
                take(&sink, pending)
                pending.removeFirst(max(0, min(consumed, pending.count)))
            }
            if !sink.isComplete {
                do throws(ProviderError) { try decoder.finish(pending.span.bytes, into: &sink) } catch {
                    take(&sink, pending)
                    throw error
                }
                take(&sink, pending)
            }
        } catch {
            self.error = error.failure
        }
        usage = sink.usage
        text = sink.text
        isComplete = sink.isComplete
    }

    private mutating func take(_ sink: inout ResponseSink, _ bytes: [UInt8]) {
        for part in sink.parts {
            switch part {
            case .chunk(let chunk):
                count(chunk.signals)
                parts.append("chunk \(String(decoding: bytes[chunk.json], as: UTF8.self)) \(chunk.signals)")
            case .joined(let json, let signals):
                count(signals)
                parts.append("chunk \(String(decoding: json, as: UTF8.self)) \(signals)")
            case .buffered(let json, let signals):
                count(signals)
                parts.append("buffered \(String(decoding: bytes[json], as: UTF8.self)) \(signals)")
            case .event(let event):
                if case .finish = event { finishes += 1 } else { content += 1 }
                if case .text(let more) = event { eventText += more }
                parts.append("\(event)")
            case .embeddings(let response):
                count(response.signals)
                parts.append("\(response)")
            case .payload(let range, let type, let signals):
                count(signals)
                // How the bytes are divided means nothing.
                let kind = "payload of \(type): "
                if parts.last?.hasPrefix(kind) != true { parts.append(kind) }
                parts[parts.count - 1] += String(decoding: bytes[range], as: UTF8.self)
            }
        }
        sink.removeParts()
    }

    private mutating func count(_ summary: Signals) {
        content += summary.contentBytes
        finishes += summary.finishes
    }
}
