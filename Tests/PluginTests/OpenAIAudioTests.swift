import Codecs
import OpenAICompatible
import ProviderKit
import Testing

@testable import WireFormats

@Suite("transcriptions, translations and speech of the OpenAI plugin")
struct OpenAIAudioTests {
    /// What the decoder makes of a body, with its payload joined.
    private struct Decoded: Equatable {
        var payload: [UInt8] = []
        var contentType: String?
        var object: String?
        var signals = Signals()
        var usage: Usage?
        var isComplete = false
        var failure: FailureClass?
    }

    private func decoded(
        _ body: [UInt8], _ operation: ProviderKit.Operation, isStream: Bool, form: BodyForm?, fields: [HTTPField], size: Int = .max,
        payload: Payload = .members([])
    ) throws -> Decoded {
        let provider = OpenAICompatibleProvider(.sample)
        let format = try #require(provider.formats(for: operation, model: "up").first)
        let call = Call(operation: operation, model: "up", isStream: isStream, format: format, payload: payload)
        var result = Decoded(), sink = ResponseSink(), pending: [UInt8] = [], rest = body[...]
        func take(_ sink: inout ResponseSink) {
            result.signals.contentBytes += sink.signals.contentBytes
            result.signals.finishes += sink.signals.finishes
            for part in sink.parts {
                switch part {
                case .payload(let range, let type, _):
                    result.payload += pending[range]
                    result.contentType = type
                case .buffered(let range, _): result.object = String(decoding: pending[range], as: UTF8.self)
                case .chunk, .joined, .event, .embeddings, .count: #expect(Bool(false), "\(part)")
                }
            }
            sink.removeParts()
        }
        do throws(ProviderError) {
            var decoder = try provider.decoder(for: call, head: UpstreamHead(status: 200, fields: fields, bodyForm: form))
            while !rest.isEmpty, !sink.isComplete {
                pending += rest.prefix(size)
                rest = rest.dropFirst(min(size, rest.count))
                let consumed = try decoder.decode(pending.span.bytes, into: &sink)
                take(&sink)
                pending.removeFirst(consumed)
            }
            if !sink.isComplete {
                try decoder.finish(pending.span.bytes, into: &sink)
                take(&sink)
            }
        } catch {
            take(&sink)
            result.failure = error.failure
        }
        (result.usage, result.isComplete) = (sink.usage, sink.isComplete)
        return result
    }

    private static let events = """
        event: transcript.text.delta\ndata: {"type":"transcript.text.delta","delta":"Hel"}\n\n\
        data: {"type":"transcript.text.delta","delta":"lo"}\n\n\
        data: {"type":"transcript.text.done","text":"Hello","usage":{"type":"tokens","input_tokens":14,\
        "input_token_details":{"text_tokens":4,"audio_tokens":10},"output_tokens":2,"total_tokens":16}}\n\n
        """

    @Test(
        "an error is one whatever type it has, and JSON without a text is no transcript",
        arguments: [
            (#"{"error":{"message":"boom","type":"server_error"}}"#, BodyForm.other, "text/plain"),
            (#"{"error":{"message":"boom","type":"server_error"}}"#, .other, "audio/mpeg"), ("{}", .jsonObject, "application/json"),
            ("[]", .jsonArray, "application/json"), ("null", .other, "application/json"),
        ], [ProviderKit.Operation.transcription, .speech])
    func errorsInSuccesses(body: (String, BodyForm, String), operation: ProviderKit.Operation) throws {
        if operation == .speech, body.1 == .jsonObject { return }
        for size in [1, Int.max] {
            let decoded = try decoded(
                Array(body.0.utf8), operation, isStream: operation == .speech, form: body.1, fields: [HTTPField("content-type", body.2)],
                size: size)
            #expect(decoded.failure == .upstreamError && decoded.payload.isEmpty && decoded.object == nil, "\(body)")
        }
    }

    @Test(
        "bytes that begin like an error pass if they are none",
        arguments: ["{ laughs } Hello", "{\"note\": 1}", "{" + String(repeating: "x", count: 70_000), " "])
    func noErrors(text: String) throws {
        let decoded = try decoded(
            Array(text.utf8), .transcription, isStream: false, form: .other, fields: [HTTPField("content-type", "text/plain")], size: 1000)
        #expect(decoded.isComplete && decoded.payload == Array(text.utf8))
    }

    @Test("the operations have OpenAI's paths")
    func paths() throws {
        let paths: [(ProviderKit.Operation, String)] = [
            (.transcription, "transcriptions"), (.translation, "translations"), (.speech, "speech"),
        ]
        for (operation, path) in paths {
            let provider = OpenAICompatibleProvider(.sample), format = try #require(provider.formats(for: operation, model: "up").first)
            let call = Call(operation: operation, model: "up", isStream: false, format: format, payload: .members([]))
            #expect(try provider.request(for: call, body: [UInt8]("{}".utf8).span.bytes).target == "/v1/audio/\(path)")
        }
    }

    @Test("text and audio are passed on as they are, with their content type, wherever they are cut", arguments: [.max, 1, 5])
    func payload(size: Int) throws {
        let text = try decoded(
            Array(" 1\n00:00\n[Music]\n".utf8), .transcription, isStream: false, form: .other,
            fields: [HTTPField("content-type", "text/vtt")], size: size)
        #expect(text.payload == Array(" 1\n00:00\n[Music]\n".utf8) && text.contentType == "text/vtt" && text.isComplete)
        #expect(text.signals.contentBytes == 17)
        let audio = try decoded(
            [0x7B, 0, 0xFF, 0x20], .speech, isStream: true, form: .other, fields: [HTTPField("content-type", "audio/mpeg")], size: size)
        #expect(audio.payload == [0x7B, 0, 0xFF, 0x20] && audio.contentType == "audio/mpeg" && audio.isComplete)
        #expect(audio.signals.contentBytes == 1, "the bytes of audio are no measure of tokens")
    }

    @Test("a body that is shorter than its length is truncated")
    func short() throws {
        let fields = [HTTPField("content-type", "audio/wav"), HTTPField("content-length", "5")]
        #expect(try decoded([1, 2, 3], .speech, isStream: true, form: .other, fields: fields).failure == .upstreamError)
    }

    @Test("events are passed on as they are, and their usage is read, wherever they are cut", arguments: [.max, 1, 7, 100])
    func events(size: Int) throws {
        let result = try decoded(Array(Self.events.utf8), .transcription, isStream: true, form: .eventStream, fields: [], size: size)
        #expect(String(decoding: result.payload, as: UTF8.self) == Self.events && result.contentType == "text/event-stream; charset=utf-8")
        #expect(result.isComplete && result.signals == Signals(contentBytes: 5, finishes: 1))
        #expect(result.usage?.promptTokens == 14 && result.usage?.completionTokens == 2 && result.usage?.audioTokens == 10)
    }

    @Test("events without an end are truncated, and an error among them is a failure")
    func brokenEvents() throws {
        let delta = #"data: {"type":"speech.audio.delta","audio":"AAAA"}"# + "\n\n"
        func failure(_ text: String) throws -> FailureClass? {
            try decoded(Array(text.utf8), .speech, isStream: true, form: .eventStream, fields: []).failure
        }
        #expect(try failure(delta) == .upstreamError)
        #expect(try failure(delta + "data: [DONE]\n\n") == nil)
        #expect(try failure(delta + #"data: {"type":"speech.audio.done"}"# + "\n\n") == nil)
        #expect(
            try failure(delta + #"data: {"error":{"message":"rate limit reached","code":"rate_limit_exceeded"}}"# + "\n\n") == .rateLimited)
        #expect(try failure(delta + #"data: {"type":"error","message":"it broke","code":"server_error"}"# + "\n\n") == .upstreamError)
        #expect(try failure("data: <html>\n\n") == .upstreamError)
    }

    @Test(
        "an object passes through, and the length of its recording is read",
        arguments: [
            (#"{"text":"Hello","usage":{"type":"duration","seconds":3}}"#, 3.0), (#"{"task":"transcribe","duration":2.5,"text":""}"#, 2.5),
            (#"{"text":"Hello","duration":"12.0"}"#, 12.0), (#"{"text":"Hello","duration":"nan"}"#, nil),
            (#"{"text":"Hello","duration":"long"}"#, nil),
            (#"{"text":"Hello"}"#, nil), (#"{"text":"Hello","duration":-1}"#, nil),
        ])
    func objects(body: String, seconds: Double?) throws {
        for isStream in [true, false] {
            let result = try decoded(Array(body.utf8), .transcription, isStream: isStream, form: .jsonObject, fields: [])
            #expect(result.object == body && result.usage?.audioSeconds == seconds && result.isComplete)
        }
        #expect(
            try decoded(Array(#"{"message":"no","code":"x"}"#.utf8), .speech, isStream: true, form: .jsonObject, fields: []).failure != nil)
    }

    @Test(
        "an empty body is the text of a recording without words, and no JSON",
        arguments: [
            ("text", true), ("srt", true), ("vtt", true), ("json", false), ("verbose_json", false), ("diarized_json", false), (nil, false),
        ], [ProviderKit.Operation.transcription, .translation])
    func silence(format: (String?, Bool), operation: ProviderKit.Operation) throws {
        let field = format.0.map { "--b\r\ncontent-disposition: form-data; name=response_format\r\n\r\n\($0)\r\n" } ?? ""
        var reader = try MultipartReader(contentType: "multipart/form-data; boundary=b")
        try reader.read(Array("--b\r\ncontent-disposition: form-data; name=model\r\n\r\nm\r\n\(field)--b--".utf8).span.bytes)
        let payload = Payload.form(try reader.finish())
        for length in [[], [HTTPField("content-length", "0")]] {
            let fields = [HTTPField("content-type", "text/plain; charset=utf-8")] + length
            let decoded = try decoded([], operation, isStream: false, form: nil, fields: fields, payload: payload)
            #expect(decoded.isComplete == format.1 && (decoded.failure == nil) == format.1 && decoded.payload.isEmpty)
            #expect(!format.1 || decoded.signals.hasBegun && decoded.contentType == "text/plain; charset=utf-8")
        }
        let cut = [HTTPField("content-length", "9")]
        #expect(try decoded([], operation, isStream: false, form: nil, fields: cut, payload: payload).failure != nil)
    }

    @Test("a page of HTML, an empty body and a stream that was not requested are failures")
    func unreadable() throws {
        #expect(try decoded([], .speech, isStream: true, form: .markup, fields: []).failure == .upstreamError)
        #expect(try decoded([], .speech, isStream: true, form: nil, fields: []).failure == .upstreamError)
        #expect(
            try decoded(Array(Self.events.utf8), .transcription, isStream: false, form: .eventStream, fields: []).failure == .upstreamError)
    }
}
