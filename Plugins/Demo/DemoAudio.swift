import Codecs
import ProviderKit

/// Audio, in OpenAI's formats: the demo hears only how long a recording is, and speaks in tones.
extension DemoProvider {
    /// How many bytes of a recording count as a second of it.
    private static let bytesPerSecond = 16_000
    private static let sampleRate = 24_000
    private static let samplesPerWord = sampleRate / 5
    private static let maxSpokenWords = 300

    /// The response to a transcription or a translation.
    func transcription(of form: MultipartForm, for call: Call) -> LocalResponse {
        func text(_ name: String) -> String? {
            form.parts.first { $0.name == name }.flatMap { $0.text.map { String(decoding: $0, as: UTF8.self) } }
        }
        guard let file = form.parts.first(where: { $0.name == "file" && $0.text == nil }) else { return missing("file") }
        if let failure = failure(of: call, text("prompt") ?? "") { return failure }
        let words = "You sent a recording of \(file.value.count) bytes.", seconds = max(1, file.value.count / Self.bytesPerSecond)
        let format = text("response_format") ?? "json"
        guard Self.formats.contains(format) else {
            let names = Self.formats.dropLast().joined(separator: ", ") + " or " + (Self.formats.last ?? "")
            return errorResponse(400, "'response_format' must be \(names)", code: "invalid_value")
        }
        if call.isStream { return transcriptEvents(words, seconds) }
        switch format {
        case "text": return response([Array("\(words)\n".utf8)], "text/plain; charset=utf-8")
        case "srt": return response([Array("1\n\(cue(seconds, ","))\n\(words)\n\n".utf8)], "text/plain; charset=utf-8")
        case "vtt": return response([Array("WEBVTT\n\n\(cue(seconds, "."))\n\(words)\n\n".utf8)], "text/vtt; charset=utf-8")
        default: return json(transcript(words, seconds, format))
        }
    }

    /// The response to a speech request: a tone for each word, as events or as a WAV file.
    func speech(for call: Call, _ request: JSONTree?) -> LocalResponse {
        guard let input = request?["input"]?.string else { return missing(call.operation == .speech ? "input" : "file") }
        if let failure = failure(of: call, input) { return failure }
        let words = max(1, min(input.wordCount, Self.maxSpokenWords)), tone = Self.tone
        if request?["stream_format"]?.string == "sse" {
            let deltas = (0..<words).map { _ in
                event("speech.audio.delta") { $0.member("audio", Base64.encoded(tone)) }
            }
            return events(deltas, "speech.audio.done", input: input.wordCount, output: words)
        }
        let tones = [[UInt8]](repeating: tone, count: words)
        if request?["response_format"]?.string == "pcm" { return response(tones, "audio/pcm") }
        return response([Self.wavHead(soundBytes: tone.count * words) + tone] + tones.dropFirst(), "audio/wav")
    }

    // MARK: Transcripts

    /// Source: OpenAI's API reference, "Create transcription", `response_format`.
    private static let formats = ["json", "verbose_json", "diarized_json", "text", "srt", "vtt"]

    private func transcript(_ text: String, _ seconds: Int, _ format: String) -> [UInt8] {
        let isDiarized = format == "diarized_json"
        var writer = JSONWriter()
        writer.object {
            if format != "json" {
                $0.member("task", "transcribe")
                if !isDiarized { $0.member("language", "english") }
                $0.member("duration", seconds)
            }
            $0.member("text", text)
            if format != "json" {
                $0.key("segments")
                $0.array {
                    $0.object {
                        if isDiarized {
                            $0.member("type", "transcript.text.segment")
                            $0.member("id", "seg_0")
                            $0.member("speaker", "A")
                        } else {
                            $0.member("id", 0)
                        }
                        $0.member("start", 0)
                        $0.member("end", seconds)
                        $0.member("text", text)
                    }
                }
            }
            $0.key("usage")
            $0.object {
                $0.member("type", "duration")
                $0.member("seconds", seconds)
            }
        }
        return writer.bytes
    }

    private func transcriptEvents(_ text: String, _ seconds: Int) -> LocalResponse {
        let deltas = chunks(of: text).map { delta in event("transcript.text.delta") { $0.member("delta", delta) } }
        return events(deltas, "transcript.text.done", input: seconds, output: text.wordCount) { $0.member("text", text) }
    }

    /// The time of a subtitle: `00:00:00,000 --> 00:00:02,000`.
    private func cue(_ seconds: Int, _ point: String) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "00:00:00\(point)000 --> \(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))\(point)000"
    }

    // MARK: Sound

    /// A fifth of a second of 440 Hz: samples of 16 bits, the low byte first.
    private static let tone: [UInt8] = (0..<samplesPerWord).flatMap { sample -> [UInt8] in
        let isHigh = sample * 880 / sampleRate % 2 == 0
        return isHigh ? [0x00, 0x08] : [0x00, 0xF8]
    }

    /// The head of a WAV file with one channel.
    /// Source: IBM's and Microsoft's "Multimedia Programming Interface and Data Specifications 1.0".
    private static func wavHead(soundBytes: Int) -> [UInt8] {
        func number(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let rates = number(sampleRate, 4) + number(2 * sampleRate, 4)
        let format = number(16, 4) + number(1, 2) + number(1, 2) + rates + number(2, 2) + number(16, 2)
        let sound = Array("data".utf8) + number(soundBytes, 4)
        return Array("RIFF".utf8) + number(36 + soundBytes, 4) + Array("WAVEfmt ".utf8) + format + sound
    }

    // MARK: Responses

    private func missing(_ field: String) -> LocalResponse {
        errorResponse(400, "'\(field)' is required", code: "missing_required_parameter")
    }

    private func json(_ object: [UInt8]) -> LocalResponse { response([object], "application/json") }

    /// A response of chunks, which breaks off if the options say so.
    private func response(_ chunks: [[UInt8]], _ contentType: String) -> LocalResponse {
        let length = chunks.reduce(0) { $0 + $1.count }
        let head = UpstreamHead(
            status: 200, fields: [HTTPField("content-type", contentType), HTTPField("content-length", "\(length)")])
        let sent = options.cut.map { Array(chunks.prefix($0)) } ?? chunks
        return LocalResponse(head: head, chunks: sent.map { .init(delay: options.delay, bytes: $0) })
    }

    private func event(_ type: String, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("type", type)
            members(&$0)
        }
        return Array("data: ".utf8) + writer.bytes + Array("\n\n".utf8)
    }

    private func events(
        _ deltas: [[UInt8]], _ end: String, input: Int, output: Int, _ members: (inout JSONWriter) -> Void = { _ in }
    ) -> LocalResponse {
        let done = event(end) {
            members(&$0)
            $0.key("usage")
            $0.object {
                $0.member("type", "tokens")
                $0.member("input_tokens", input)
                $0.member("output_tokens", output)
                $0.member("total_tokens", input + output)
            }
        }
        return response(deltas + [done], "text/event-stream")
    }
}
