import TestSupport
import Testing

/// A stream and the events in it.
struct SSEVector: CustomTestStringConvertible, Sendable {
    var title: String
    var bytes: [UInt8]
    var events: [ReadEvent]

    init(_ title: String, _ stream: String, _ events: [ReadEvent]) {
        self.init(title, Array(stream.utf8), events)
    }

    init(_ title: String, _ bytes: [UInt8], _ events: [ReadEvent]) {
        self.title = title
        self.bytes = bytes
        self.events = events
    }

    var testDescription: String { title }
}

let sseVectors = [
    SSEVector("one event", "data: a\n\n", [.init(data: "a")]),
    SSEVector("two events", "data: a\n\ndata: b\n\n", [.init(data: "a"), .init(data: "b")]),
    SSEVector("CR LF", "data: a\r\n\r\ndata: b\r\n\r\n", [.init(data: "a"), .init(data: "b")]),
    SSEVector("CR", "data: a\r\rdata: b\r\r", [.init(data: "a"), .init(data: "b")]),
    SSEVector("mixed line ends", "data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\r", [.init(data: "a\nb\nc"), .init(data: "d")]),
    SSEVector("LF CR is two line ends", "data: a\n\rdata: b\n\n", [.init(data: "a"), .init(data: "b")]),
    SSEVector("CR CR LF is two line ends", "data: a\r\r\ndata: b\r\r\n", [.init(data: "a"), .init(data: "b")]),
    SSEVector("several blank lines", "\n\n\r\n\rdata: a\n\n\n\n\r\r\ndata: b\n\n\n", [.init(data: "a"), .init(data: "b")]),
    SSEVector("comments", ":\n: x\n\n:data: n\ndata: a\n:in between\ndata: b\n\n: end\n\n", [.init(data: "a\nb")]),
    SSEVector("a comment is not an event", ": OPENROUTER PROCESSING\n\n: ping\n\n", []),
    SSEVector("a value without a space", "data:a\n\n", [.init(data: "a")]),
    SSEVector("exactly one space is dropped", "data:  a \n\ndata:\ta\n\n", [.init(data: " a "), .init(data: "\ta")]),
    SSEVector("colons in the value", "data: a: b:c\n\ndata::d\n\n", [.init(data: "a: b:c"), .init(data: ":d")]),
    SSEVector("data without colon is an empty line", "data\n\ndata\ndata\n\n", [.init(data: ""), .init(data: "\n")]),
    SSEVector("empty data", "data:\n\ndata: \n\n", [.init(data: ""), .init(data: "")]),
    SSEVector("empty lines around", "data:\ndata: a\ndata:\n\n", [.init(data: "\na\n")]),
    SSEVector("unknown fields", "foo: bar\ndata: a\nDATA: b\nData: c\nretry\n\n", [.init(data: "a")]),
    SSEVector("a space before the name is part of it", " data: a\n\ndata : b\n\n", []),
    SSEVector("longer and shorter names", "datas: a\ndat: b\nd\ndatax\n\n", []),
    SSEVector("a type counts for one event", "event: error\ndata: a\n\ndata: b\n\n", [.init(type: "error", data: "a"), .init(data: "b")]),
    SSEVector("the last type counts, even after data", "data: a\nevent: x\nevent:y\n\n", [.init(type: "y", data: "a")]),
    SSEVector("an empty type is message", "event: x\nevent:\ndata: a\n\nevent\ndata: b\n\n", [.init(data: "a"), .init(data: "b")]),
    SSEVector("a type without data is dropped", "event: x\n\ndata: a\n\n", [.init(data: "a")]),
    SSEVector(
        "an error without data is an event", "event: error\n\nerror:\n\ndata: a\n\n",
        [
            .init(type: "error", data: ""), .init(type: "error", data: ""), .init(data: "a"),
        ]),
    SSEVector(
        "an object without a field name is data", "data: a\n\n{\"b\": 1}\n\nevent: x\n{\"c\"}\n\n",
        [
            .init(data: "a"), .init(data: "{\"b\": 1}"), .init(type: "x", data: "{\"c\"}"),
        ]),
    SSEVector("an id is ignored", "id: 1\ndata: a\n\nid\ndata: b\nid: 2\n\n", [.init(data: "a"), .init(data: "b")]),
    SSEVector("an id without data is not an event", "id: 1\n\ndata: a\n\n", [.init(data: "a")]),
    SSEVector("retry is ignored", "retry: 10\ndata: a\nretry: x\n\n", [.init(data: "a")]),
    SSEVector("unfinished event", "data: a\n\ndata: b\n", [.init(data: "a")]),
    SSEVector("unfinished line", "data: a\n\ndata: b", [.init(data: "a")]),
    SSEVector("byte order mark", "\u{feff}data: a\n\n", [.init(data: "a")]),
    SSEVector("second byte order mark is data", "\u{feff}\u{feff}data: a\n\ndata: \u{feff}b\n\n", [.init(data: "\u{feff}b")]),
    SSEVector("byte order mark before the second event", "data: a\n\n\u{feff}data: b\n\n", [.init(data: "a")]),
    SSEVector("half a byte order mark", [0xef, 0xbb] + Array("data: a\n\ndata: b\n\n".utf8), [.init(data: "b")]),
    SSEVector("NUL in data", "data: a\u{0}b\n\n", [.init(data: "a\u{0}b")]),
    SSEVector("text of several bytes", "data: жя 漢字 😀\n\nevent: é\ndata: é\n\n", [.init(data: "жя 漢字 😀"), .init(type: "é", data: "é")]),
    SSEVector("ill-formed UTF-8", Array("data: ".utf8) + [0xf0, 0x9f, 0x98, 0x61, 0xff, 0x0a, 0x0a], [.init(data: "\u{fffd}a\u{fffd}")]),
    SSEVector(
        "tabs and other controls are data", "data: a\tb\u{b}c\u{c}d\u{85}e\u{2028}f\n\n", [.init(data: "a\tb\u{b}c\u{c}d\u{85}e\u{2028}f")]),
    SSEVector(
        "chunks of a chat", "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: {\"choices\":[]}\n\ndata: [DONE]\n\n",
        [.init(data: #"{"choices":[{"delta":{"content":"Hi"}}]}"#), .init(data: #"{"choices":[]}"#), .init(data: "[DONE]")]
    ),
    SSEVector(
        "named events with trailing spaces", "event: ping\ndata: {\"type\": \"ping\"}     \n\nevent: message_stop\ndata: {}\n\n",
        [.init(type: "ping", data: #"{"type": "ping"}     "#), .init(type: "message_stop", data: "{}")]
    ),
    SSEVector(
        "a long line", "data: " + String(repeating: "0123456789", count: 60) + "\n\n",
        [.init(data: String(repeating: "0123456789", count: 60))]),
]
