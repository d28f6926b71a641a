package import Codecs
import ProviderKit

/// An event as the standard dispatches it.
package struct ReadEvent: Equatable, CustomStringConvertible {
    package var type: String
    package var data: String

    package init(type: String = "message", data: String) {
        self.type = type
        self.data = data
    }

    package var description: String { "(\(type), \(data.debugDescription))" }
}

/// A reader that drives a decoder as the router does: bytes stay at the front of a buffer until they are consumed.
package struct SSEReader {
    var decoder: SSEDecoder
    package var events: [ReadEvent] = []
    package private(set) var pending: [UInt8] = []

    package init(maxEventBytes: Int = 16 << 20) {
        decoder = SSEDecoder(maxEventBytes: maxEventBytes)
    }

    package mutating func feed(_ chunk: [UInt8]) throws(SSEError) {
        pending += chunk
        let current = pending
        let bytes = current.span.bytes
        while let event = try decoder.nextEvent(bytes) {
            append(event, bytes)
        }
        pending.removeFirst(decoder.consume())
    }

    package mutating func finish() {
        let current = pending
        let bytes = current.span.bytes
        if let event = decoder.finish(bytes) { append(event, bytes) }
        pending.removeFirst(decoder.consume())
    }

    private mutating func append(_ event: SSEEvent, _ bytes: RawSpan) {
        let type = event.typeRange.map { text(Array(copying: $0, of: bytes)) } ?? "message"
        events.append(ReadEvent(type: type, data: text(event.joinedData ?? Array(copying: event.data, of: bytes))))
    }
}

/// The events of a complete stream, by a literal implementation of the standard's rules, with the events for failures
/// that it would drop.
package func referenceEvents(_ stream: [UInt8]) -> [ReadEvent] {
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
    var (type, data): ([UInt8], [UInt8]) = ([], [])
    for line in lines {
        if line.isEmpty {
            if !data.isEmpty || text(type) == "error" {
                events.append(ReadEvent(type: type.isEmpty ? "message" : text(type), data: text(data.dropLast())))
            }
            type = []
            data = []
            continue
        }
        if line.first == UInt8(ascii: "{") {
            data += line + [0x0a]
            continue
        }
        let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count == 2 ? parts[1] : []
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        switch text(parts[0]) {
        case "event": type = Array(value)
        case "data": data += value + [0x0a]
        case "error":
            type = Array("error".utf8)
            if !value.isEmpty { data += value + [0x0a] }
        default: break
        }
    }
    return events
}

private func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: Array(bytes), as: UTF8.self)
}
