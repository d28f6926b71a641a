import Codecs
public import ProviderKit

extension OllamaChat {
    /// The decoder for what the server sends.
    ///
    /// It passes the response through if the client has this format, and gives typed events otherwise; also if the
    /// server streams a response that was to be one object, or the reverse.
    public static func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        switch head.bodyForm {
        case .jsonLines, .jsonObject:
            if call.isStream { return OllamaStreamDecoder(call, passesThrough: !call.isTyped) }
            return ObjectOrLinesDecoder(OllamaBufferedDecoder(call: call), orLines: OllamaStreamDecoder(call, passesThrough: false))
        case .eventStream, .jsonArray:
            return ReframedDecoder(OllamaStreamDecoder(call, passesThrough: false), takes: .lines, from: head.bodyForm)
        case .markup: throw .unreadable("a page of HTML or XML; check 'base_url'")
        case .other: throw .unreadable("neither JSON nor lines of it; check 'base_url'")
        case nil: throw .unreadable("an empty body")
        }
    }
}

/// A decoder for a stream of lines.
struct OllamaStreamDecoder: ResponseDecoder {
    private var lines = NDJSONDecoder()
    /// Gives typed events; nil if the stream passes through.
    private var reader: OllamaEventReader?
    private let keepsText: Bool
    private var isComplete = false

    init(_ call: Call, passesThrough: Bool) {
        keepsText = call.keepsText
        reader = passesThrough ? nil : OllamaEventReader(call)
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        while !isComplete {
            let line: Range<Int>?
            do throws(NDJSONError) { line = try lines.nextLine(bytes) } catch { throw .unreadable("invalid lines of JSON: \(error)") }
            guard let line else { return lines.consume() }
            // A line that ends with CR LF is written anew.
            let frame = bytes.byte(line.upperBound) == ASCII.lineFeed ? line.lowerBound..<line.upperBound + 1 : nil
            try read(line, frame, bytes, &response)
        }
        return bytes.byteCount  // what follows the last line is ignored
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if isComplete { return }
        let line: Range<Int>?
        do throws(NDJSONError) { line = try lines.finish(bytes) } catch {
            throw .truncated("the upstream closed the stream in the middle of a line")
        }
        if let line { try read(line, nil, bytes, &response) }
        guard isComplete else { throw .truncated("the upstream closed the stream before its end") }
    }

    private mutating func read(
        _ range: Range<Int>, _ frame: Range<Int>?, _ bytes: RawSpan, _ response: inout ResponseSink
    ) throws(ProviderError) {
        let line = try OllamaLine(range, in: bytes, hasBegun: response.hasBegun)
        if keepsText, let text = line.text { response.keep(text: JSON.string(text, in: bytes)) }
        if line.usage != Usage() { response.usage(line.usage) }
        if reader != nil {
            try reader?.read(line, bytes, &response)
        } else {
            let chunk = PassthroughChunk(json: range, frame: frame, signals: line.signals(in: bytes))
            response.pass(chunk, of: bytes, hasStrayError: line.hasStrayError)
        }
        guard line.isDone else { return }
        try response.requireContentOrReason()
        isComplete = true
        response.complete()
    }
}

/// A decoder for one object. It consumes nothing before the end.
struct OllamaBufferedDecoder: ResponseDecoder {
    let call: Call

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        let range = bytes.withoutBlanks, line = try OllamaLine(range, in: bytes, hasBegun: false)
        guard line.hasMessage else { throw .unreadable("JSON without a message") }
        guard line.isDone else { throw .truncated("the upstream closed the response before its end") }
        if call.keepsText, let text = line.text { response.keep(text: JSON.string(text, in: bytes)) }
        if line.usage != Usage() { response.usage(line.usage) }
        if call.isTyped {
            var reader = OllamaEventReader(call)
            try reader.read(line, bytes, &response)
        } else {
            response.buffered(range, signals: line.signals(in: bytes))
        }
        try response.requireContentOrReason()
        response.complete()
    }
}
