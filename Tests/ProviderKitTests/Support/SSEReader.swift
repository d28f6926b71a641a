import Codecs
import ProviderKit

/// An event as the standard tells it to the page.
struct ReadEvent: Equatable, CustomStringConvertible {
    var type = "message"
    var data: String
    var id = ""

    var description: String { "(\(type), \(data.debugDescription), \(id.debugDescription))" }
}

/// Drives a decoder as a relay does: bytes wait at the front of a buffer until they are consumed.
struct SSEReader {
    var decoder: SSEDecoder
    var events: [ReadEvent] = []
    var comments: [String] = []
    private(set) var waiting: [UInt8] = []

    init(maxEventBytes: Int = 16 << 20) {
        decoder = SSEDecoder(maxEventBytes: maxEventBytes)
    }

    mutating func feed(_ chunk: [UInt8]) throws(SSEError) {
        waiting += chunk
        let held = waiting
        let bytes = held.span.bytes
        let commentCount = decoder.commentCount
        while let event = try decoder.nextEvent(bytes) {
            take(event, bytes)
        }
        if decoder.commentCount > commentCount, let comment = decoder.lastComment {
            comments.append(bytes.extracting(comment).withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
        }
        waiting.removeFirst(decoder.consume())
    }

    mutating func finish() {
        let held = waiting
        let bytes = held.span.bytes
        if let event = decoder.finish(bytes) { take(event, bytes) }
        waiting.removeFirst(decoder.consume())
    }

    private mutating func take(_ event: SSEEvent, _ bytes: RawSpan) {
        events.append(
            ReadEvent(
                type: event.type(in: bytes), data: event.dataText(in: bytes), id: String(decoding: decoder.lastEventID, as: UTF8.self)))
    }
}

/// The rules of the standard, word by word, over a whole stream.
func referenceEvents(_ stream: [UInt8]) -> [ReadEvent] {
    var stream = stream[...]
    if stream.starts(with: [0xef, 0xbb, 0xbf]) { stream = stream.dropFirst(3) }

    var lines: [[UInt8]] = []
    var line: [UInt8] = []
    while let byte = stream.popFirst() {
        guard byte == 0x0a || byte == 0x0d else {
            line.append(byte)
            continue
        }
        if byte == 0x0d, stream.first == 0x0a { stream.removeFirst() }
        lines.append(line)
        line = []
    }

    var events: [ReadEvent] = []
    var (type, data, id): ([UInt8], [UInt8], [UInt8]) = ([], [], [])
    for line in lines {
        if line.isEmpty {
            if !data.isEmpty {
                events.append(ReadEvent(type: type.isEmpty ? "message" : text(type), data: text(data.dropLast()), id: text(id)))
            }
            type = []
            data = []
            continue
        }
        let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count == 2 ? parts[1] : []
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        switch text(parts[0]) {
        case "event": type = Array(value)
        case "data": data += value + [0x0a]
        case "id": if !value.contains(0) { id = Array(value) }
        default: break
        }
    }
    return events
}
