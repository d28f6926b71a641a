import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// Some servers send an empty `error` beside a sound part of a response, and SDKs take it for one.
@Suite("an error that says nothing, in a stream that passes through")
struct StrayErrorTests {
    /// The JSON of the parts that the client gets.
    ///
    /// - Parameter isBroken: whether each object is sent in two `data` lines.
    private func passed(_ format: FramingTests.Format, _ objects: [String], isBroken: Bool = false) throws -> [String] {
        let call = Call(operation: .chat, model: "m", isStream: true, format: WireFormat("f"), payload: .members([]), provider: "p")
        let isLines = format.own == .jsonLines
        let body = Array(
            objects.map { isLines ? $0 + "\n" : "data: \(isBroken ? $0.replacing("{", with: "{\ndata: ", maxReplacements: 1) : $0)\n\n" }
                .joined().utf8)
        var decoder = try format.decoder(call, UpstreamHead(status: 200, bodyForm: format.own)), sink = ResponseSink()
        let consumed = try decoder.decode(body.span.bytes, into: &sink)
        if !sink.isComplete { try decoder.finish(body.span.bytes.extracting(consumed..<body.count), into: &sink) }
        return sink.parts.map { part in
            switch part {
            case .chunk(let chunk): String(decoding: body[chunk.json], as: UTF8.self)
            case .joined(let json, _): String(decoding: json, as: UTF8.self)
            default: "?"
            }
        }
    }

    @Test(
        "is removed, and nothing else is", arguments: FramingTests.formats,
        ["{}", #"{"message":"","code":null}"#, "[]", "0", "true", #""null""#])
    func removed(format: FramingTests.Format, error: String) throws {
        let objects = format.objects.map { String($0.dropLast()) + #","error":\#(error)}"# }
        #expect(try passed(format, objects) == format.objects)
    }

    @Test("is removed from an event in several lines too", arguments: FramingTests.formats.filter { $0.own == .eventStream })
    func removedFromLines(format: FramingTests.Format) throws {
        let objects = format.objects.map { String($0.dropLast()) + #","error":{}}"# }
        let passed = try passed(format, objects, isBroken: true).map { $0.replacing("{ ", with: "{", maxReplacements: 1) }
        #expect(passed == format.objects)
    }

    @Test("is left alone if no SDK takes it for an error", arguments: FramingTests.formats, ["null", "false", #""""#])
    func harmless(format: FramingTests.Format, error: String) throws {
        let objects = format.objects.map { String($0.dropLast()) + #","error":\#(error)}"# }
        #expect(try passed(format, objects) == objects)
    }
}
