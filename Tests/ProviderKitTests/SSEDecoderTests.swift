import Codecs
import Engine
import Foundation
import ProviderKit
import TestSupport
import Testing

@Suite struct SSEDecoderTests {
    @Test("the events don't depend on where the stream is cut", arguments: sseVectors)
    func cutAnywhere(_ vector: SSEVector) throws {
        #expect(referenceEvents(vector.bytes) == vector.events, "the reference is wrong")
        try expectEvents(vector.events, from: vector.bytes)
    }

    @Test("random streams give the events of the standard's rules, wherever they are cut", arguments: 0..<120 as Range<UInt64>)
    func equalsReference(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let parts =
            [
                "data", "data:", "data: ", "event:", "event: error", "id:", "id: 7", "retry: 5", ":", ": note", "foo: bar", " ", "a",
                "{\"b\":1}", "é", "😀", "\0", "\t",
                "\n", "\n", "\n\n", "\n\n", "\r", "\r\n", "\r\n\r\n", "\u{feff}",
            ].map { Array($0.utf8) } + [[0xff], [0xef, 0xbb], [0xf0, 0x9f]]
        let stream = (0..<(5 + random.below(40))).flatMap { _ in random.one(of: parts) }
        try expectEvents(referenceEvents(stream), from: stream)
    }

    @Test(
        "an event is complete with its last byte, even if that is a CR",
        arguments: ["data: a\n\n", "data: a\r\n\r", "data: a\r\r", "data: a\n\r"])
    func completesEarly(_ stream: String) throws {
        var reader = SSEReader()
        try reader.feed(Array(stream.utf8.dropLast()))
        #expect(reader.events.isEmpty)
        try reader.feed(Array(stream.utf8.suffix(1)))
        #expect(reader.events == [ReadEvent(data: "a")])
        try reader.feed(Array("\ndata: b\n\n".utf8))
        #expect(reader.events == [ReadEvent(data: "a"), ReadEvent(data: "b")])
    }

    @Test(
        "only a single data line with LF line ends is canonical, and the frame has exactly the event's bytes",
        arguments: [
            ("data: a\n\n", true), ("data:a\n\n", true), ("data\n\n", true), ("\n\n: x\n\ndata: a\n\n", true),
            ("data: a\r\n\n", false), ("data: a\n\r\n", false), ("data: a\r\r", false), ("data: a\n\r", false),
            ("data: a\ndata: b\n\n", false), ("event: x\ndata: a\n\n", false),
            ("data: a\nid: 1\n\n", false), ("data: a\n: x\n\n", false), ("data: a\nfoo\n\n", false), ("foo\ndata: a\n\n", false),
            ("data: a\nretry: 1\n\n", false),
        ])
    func findsCanonicalFrames(_ stream: String, _ isCanonical: Bool) throws {
        let bytes = Array((stream + "data: next\n\n").utf8)
        try reading(bytes) { span throws(SSEError) in
            var decoder = SSEDecoder()
            let first = try decoder.nextEvent(span)
            let next = try decoder.nextEvent(span)
            #expect(first?.isCanonical == isCanonical)
            #expect(first.map { text(bytes[$0.frame]) } == String(stream.drop { !"def".contains($0) }))
            #expect(next?.isCanonical == true)
            #expect(next.map { text(bytes[$0.frame]) } == "data: next\n\n")
            #expect(next.map { text(bytes[$0.data]) } == "next")
            let rest = try decoder.nextEvent(span)
            #expect(rest == nil)
            #expect(decoder.consume() == bytes.count)
        }
    }

    @Test("comments and blank lines are consumed immediately, the lines of an event when it is complete")
    func consumesEarly() throws {
        var reader = SSEReader()
        try reader.feed(Array(": keep-alive\n\n\n".utf8))
        #expect(reader.pending.isEmpty)
        try reader.feed(Array(": a\ndata: x\n: b\n".utf8))
        #expect(text(reader.pending) == "data: x\n: b\n")
        try reader.feed(Array("\n".utf8))
        #expect(reader.pending.isEmpty)
    }

    @Test("a type is compared in place")
    func comparesTypes() throws {
        try reading("event: error\ndata: a\n\ndata: b\n\n") { bytes throws(SSEError) in
            var decoder = SSEDecoder()
            let first = try decoder.nextEvent(bytes)
            #expect(
                [first?.isType("error", in: bytes), first?.isType("message", in: bytes), first?.isType("erro", in: bytes)] == [
                    true, false, false,
                ])
            let second = try decoder.nextEvent(bytes)
            #expect([second?.isType("message", in: bytes), second?.isType("error", in: bytes)] == [true, false])
        }
    }

    @Test(
        "an event without its blank line is returned only by finish",
        arguments: [
            ("data: a", ReadEvent(data: "a")), ("data: a\n", ReadEvent(data: "a")), ("data: a\r", ReadEvent(data: "a")),
            ("event: x\ndata: a\ndata", ReadEvent(type: "x", data: "a\n")),
            ("event: x\n", nil), (": note", nil), ("", nil), ("\u{feff}data: a", ReadEvent(data: "a")), ("foo", nil), ("data: a\n\n", nil),
        ] as [(String, ReadEvent?)])
    func finishes(_ rest: String, _ expected: ReadEvent?) throws {
        for chunks in cuts(of: Array(rest.utf8), seed: 1) {
            var reader = SSEReader()
            for chunk in chunks { try reader.feed(chunk) }
            reader.events = []
            reader.finish()
            #expect(reader.events == [expected].compactMap(\.self))
            #expect(reader.pending.isEmpty)
        }
    }

    @Test(
        "an event may be as large as the limit, not a byte larger",
        arguments: [
            "data: 0123456789", "data: 01\ndata: 34", "data: 01\r\ndata: 3", ": 01234567890123", "data: 0\n: 456789", "event: 012345\nid",
        ])
    func limitsSize(_ lines: String) throws {
        let stream = Array((lines + "\n\ndata: b\n\n").utf8)
        for chunks in cuts(of: stream, seed: 2) {
            var fitting = SSEReader(maxEventBytes: lines.utf8.count)
            for chunk in chunks { try fitting.feed(chunk) }
            #expect(fitting.events.last == ReadEvent(data: "b"))

            var tooSmall = SSEReader(maxEventBytes: lines.utf8.count - 1)
            #expect(throws: SSEError.eventTooLarge(maxBytes: lines.utf8.count - 1)) { for chunk in chunks { try tooSmall.feed(chunk) } }
            #expect(tooSmall.events.isEmpty)
        }
    }

    @Test("bytes that shrink against the contract give no event and do not trap")
    func survivesMisuse() throws {
        var decoder = SSEDecoder()
        let first = try reading("data: a\ndata: b") { bytes throws(SSEError) in try decoder.nextEvent(bytes)?.frame }
        let second = try reading("da") { bytes throws(SSEError) in try decoder.nextEvent(bytes)?.frame }
        let last = reading("") { decoder.finish($0)?.joinedData }
        #expect([first, second] == [nil, nil])
        #expect(last == nil)
    }

    @Test(
        "LaunchDarkly's contract tests pass, wherever they are cut",
        .enabled(if: Corpus.folder != nil, "CORPORA names no folder of test vectors"))
    func contractTests() throws {
        let vectors = try Corpus.lines(of: "sse/launchdarkly.jsonl", as: ContractTest.self)
        try #require(vectors.count == 94)
        for vector in vectors {
            var reader = SSEReader()
            for chunk in vector.chunks { try reader.feed(Array(chunk)) }
            #expect(reader.events == vector.events.map(\.read), "\(vector.group): \(vector.title)")

            let bytes = vector.chunks.flatMap(Array.init)
            try expectEvents(vector.events.map(\.read), from: bytes)
        }
    }

    private struct ContractTest: Decodable {
        var group: String
        var title: String
        var chunks: [Data]
        var events: [Event]

        struct Event: Decodable {
            var type: String
            var data: String
            var read: ReadEvent { ReadEvent(type: type, data: data) }
        }
    }

    private func expectEvents(_ events: [ReadEvent], from bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws {
        for chunks in cuts(of: bytes, seed: UInt64(bytes.count)) {
            var reader = SSEReader()
            for chunk in chunks { try reader.feed(chunk) }
            guard reader.events != events else { continue }
            Issue.record(
                "cut into \(chunks.map { text($0).debugDescription }): \(reader.events) is not \(events)", sourceLocation: sourceLocation)
            return
        }
    }
}
