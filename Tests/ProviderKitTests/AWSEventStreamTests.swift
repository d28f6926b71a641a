import Codecs
import TestSupport
import Testing

@Suite("Amazon's event streams")
struct AWSEventStreamTests {
    /// Written by botocore's test vectors: `messageStop` with the stop reason `end_turn`.
    private static let recorded = Hex.decoded(
        "0000007a00000051ca2c46650b3a6576656e742d7479706507000b6d65737361676553746f700d3a636f6e74656e742d747970650700106170706c69636174696f6e"
            + "2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b2273746f70526561736f6e223a22656e645f7475726e227d5fbf09fc")

    @Test("a recorded message is read, byte by byte too")
    func recorded() throws {
        let bytes = try #require(Self.recorded)
        var decoder = AWSEventStreamDecoder()
        for count in 0..<bytes.count {
            let part = Array(bytes[..<count]), message = try decoder.nextMessage(part.span.bytes)
            #expect(message == nil)
        }
        let found = try decoder.nextMessage(bytes.span.bytes), message = try #require(found)
        #expect(message.headers == [":event-type": "messageStop", ":content-type": "application/json", ":message-type": "event"])
        #expect(String(decoding: bytes[message.payload], as: UTF8.self) == #"{"stopReason":"end_turn"}"#)
        let isAtEnd = decoder.isAtEnd(bytes.span.bytes)
        #expect(isAtEnd)
        #expect(decoder.consume() == bytes.count)
        #expect(bytes == AWSEventStream.event("messageStop", #"{"stopReason":"end_turn"}"#))
    }

    @Test("messages follow each other, and what is consumed is removed")
    func several() throws {
        let bytes = AWSEventStream.event("a", "{}") + AWSEventStream.event("b", "") + [0, 0]
        var decoder = AWSEventStreamDecoder(), types: [String?] = []
        while let message = try decoder.nextMessage(bytes.span.bytes) { types.append(message.headers[":event-type"]) }
        #expect(types == ["a", "b"])
        let isAtEnd = decoder.isAtEnd(bytes.span.bytes)
        #expect(!isAtEnd)
        #expect(decoder.consume() == bytes.count - 2)
    }

    @Test("a changed byte anywhere is an error")
    func damage() throws {
        let bytes = try #require(Self.recorded)
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 0x10
            var decoder = AWSEventStreamDecoder()
            #expect(throws: AWSEventStreamError.self) { try decoder.nextMessage(damaged.span.bytes) }
        }
    }

    @Test("headers that are cut off, occur twice or have an unknown type are refused")
    func headers() {
        func error(_ headers: [UInt8]) -> AWSEventStreamError? {
            // The first header's bytes replace those of a message with the same lengths.
            var message = AWSEventStream.message([], headers)
            let lengths = Array(message[0..<4]) + [0, 0, 0, UInt8(headers.count)]
            message = AWSEventStream.sealed(lengths, headers)
            var decoder = AWSEventStreamDecoder()
            do throws(AWSEventStreamError) { _ = try decoder.nextMessage(message.span.bytes) } catch { return error }
            return nil
        }
        #expect(error([1, 0x61, 0]) == nil)  // a header that is true
        #expect(error([1, 0x61, 4, 0, 0, 0, 1]) == nil)  // an integer
        #expect(error([1, 0x61, 0, 1, 0x61, 1]) == .invalidHeader)
        #expect(error([1, 0x61, 10]) == .invalidHeader)
        #expect(error([1, 0x61, 7, 0, 5, 0x61]) == .invalidHeader)
        #expect(error([9, 0x61]) == .invalidHeader)
        #expect(error([1, 0x61, 7, 0]) == .invalidHeader)
    }

    @Test("lengths that contradict each other, or are over the limits, are refused at once")
    func lengths() {
        for lengths: [UInt8] in [
            [0, 0, 0, 15, 0, 0, 0, 0], [0, 0, 0, 20, 0, 0, 0, 9], [0x7F, 0, 0, 0, 0, 0, 0, 0], [0, 4, 0, 0, 0, 3, 0, 0],
        ] {
            let bytes = AWSEventStream.sealed(lengths, [])
            var decoder = AWSEventStreamDecoder()
            #expect(throws: AWSEventStreamError.invalidLength) { try decoder.nextMessage(bytes.span.bytes) }
        }
    }
}
