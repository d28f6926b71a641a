import Codecs
import ConfigTree
import Demo
import ProviderKit
import Testing

@Suite("audio of the demo plugin")
struct DemoAudioTests {
    private func provider(_ values: [String: String] = [:]) throws -> any Provider {
        let entries = values.map {
            ConfigEntry(key: ConfigText($0.key, at: .start), value: ConfigNode(.scalar(ConfigScalar($0.value)), at: .start))
        }
        var fields = FieldReader(entries, at: .start)
        return DemoPlugin.makeProvider(try #require(DemoPlugin.readOptions(&fields)))
    }

    /// The response, and the bytes that its decoder passes on.
    private func respond(
        _ provider: any Provider, _ operation: ProviderKit.Operation, _ payload: Payload, body: [UInt8] = [], isStream: Bool
    ) throws -> (response: LocalResponse, bytes: [UInt8], usage: Usage?, error: ProviderError?) {
        let format = try #require(provider.formats(for: operation, model: "demo").first)
        let call = Call(operation: operation, model: "demo", isStream: isStream, format: format, payload: payload)
        let response = provider.response(to: call, body: body.span.bytes), sent = response.chunks.flatMap(\.bytes)
        guard response.head.status == 200 else {
            return (response, [], nil, provider.failure(head: response.head, body: sent.span.bytes))
        }
        var head = response.head
        let isEvents = head["content-type"] == "text/event-stream", isJSON = head["content-type"] == "application/json"
        head.bodyForm = isEvents ? .eventStream : isJSON ? .jsonObject : .other
        var sink = ResponseSink(), bytes: [UInt8] = [], failure: ProviderError?
        do throws(ProviderError) {
            var decoder = try provider.decoder(for: call, head: head)
            let consumed = try decoder.decode(sent.span.bytes, into: &sink), rest = Array(sent[consumed...])
            for case .payload(let range, _, _) in sink.parts { bytes += sent[range] }
            sink.removeParts()
            try decoder.finish(rest.span.bytes, into: &sink)
            for case .buffered(let range, _) in sink.parts { bytes += rest[range] }
        } catch {
            failure = error
        }
        return (response, bytes, sink.usage, failure)
    }

    private func form(_ fields: [(String, String)], file: Bool = true) throws -> Payload {
        var text =
            file ? "--b\r\ncontent-disposition: form-data; name=file; filename=f\r\n\r\n\(String(repeating: "x", count: 32_000))\r\n" : ""
        for (name, value) in fields { text += "--b\r\ncontent-disposition: form-data; name=\(name)\r\n\r\n\(value)\r\n" }
        var reader = try MultipartReader(contentType: "multipart/form-data; boundary=b")
        try reader.read(Array("\(text)--b--".utf8).span.bytes)
        return .form(try reader.finish())
    }

    @Test(
        "a transcript says how long the recording is, in the form that is asked for",
        arguments: [
            ("json", "application/json", #"{"text":"You sent a recording of 32000 bytes.","usage":{"type":"duration","seconds":2}}"#),
            (
                "diarized_json", "application/json",
                #"{"task":"transcribe","duration":2,"text":"You sent a recording of 32000 bytes.","segments":[{"type":"transcript.text.segment","id":"seg_0","speaker":"A","start":0,"end":2,"text":"You sent a recording of 32000 bytes."}],"usage":{"type":"duration","seconds":2}}"#
            ),
            ("text", "text/plain; charset=utf-8", "You sent a recording of 32000 bytes.\n"),
            ("srt", "text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:02,000\nYou sent a recording of 32000 bytes.\n\n"),
            ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nYou sent a recording of 32000 bytes.\n\n"),
        ])
    func transcripts(kind: String, type: String, text: String) throws {
        for operation in [ProviderKit.Operation.transcription, .translation] {
            let result = try respond(try provider(), operation, form([("response_format", kind)]), isStream: false)
            #expect(String(decoding: result.bytes, as: UTF8.self) == text && result.response.head["content-type"] == type)
        }
    }

    @Test("a verbose transcript has segments, and a streamed one comes in words")
    func more() throws {
        let verbose = try respond(try provider(), .transcription, form([("response_format", "verbose_json")]), isStream: false)
        let json = verbose.bytes, segments = JSONTree(json.span.bytes)?["segments"]?.elements
        #expect(segments?.count == 1 && verbose.usage?.audioSeconds == 2)
        let events = try respond(try provider(), .transcription, form([]), isStream: true)
        #expect(events.response.chunks.count == 8 && events.bytes == events.response.chunks.flatMap(\.bytes) && events.error == nil)
        #expect(events.usage?.promptTokens == 2 && events.usage?.completionTokens == 7)
    }

    @Test("speech is a WAV file, bare samples or events, with a tone for each word")
    func speech() throws {
        func speak(_ more: String = "") throws -> (response: LocalResponse, bytes: [UInt8], usage: Usage?, error: ProviderError?) {
            let body = Array(#"{"input":"one two three"\#(more)}"#.utf8)
            return try respond(try provider(), .speech, .members(try JSON.members(of: body.span.bytes)), body: body, isStream: true)
        }
        let wav = try speak(), pcm = try speak(#","response_format":"pcm""#), events = try speak(#","stream_format":"sse""#)
        #expect(wav.response.head["content-type"] == "audio/wav" && wav.response.chunks.count == 3 && wav.bytes.count == 44 + 3 * 9600)
        #expect(
            wav.bytes.prefix(4).elementsEqual("RIFF".utf8) && wav.bytes[4...7] == [0xA4, 0x70, 0, 0]
                && wav.bytes.dropFirst(44).elementsEqual(pcm.bytes))
        #expect(events.response.chunks.count == 4 && events.usage?.completionTokens == 3)
    }

    @Test("a request without what it needs, a configured failure and a cut are failures")
    func failures() throws {
        #expect(try respond(try provider(), .transcription, form([], file: false), isStream: false).error?.failure == .clientError)
        #expect(
            try respond(try provider(), .transcription, form([("response_format", "mp3")]), isStream: false).error?.failure == .clientError)
        #expect(try respond(try provider(), .speech, .members([]), body: Array("{}".utf8), isStream: true).error?.failure == .clientError)
        #expect(try respond(try provider(["fail": "503"]), .transcription, form([]), isStream: false).error?.status == 503)
        let body = Array(#"{"input":"one two"}"#.utf8)
        #expect(try respond(try provider(["cut": "1"]), .speech, .members([]), body: body, isStream: true).error?.failure == .upstreamError)
    }
}
