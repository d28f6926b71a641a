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
            return OllamaBufferedDecoder(call: call)
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
        reader = passesThrough ? nil : OllamaEventReader()
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
            response.chunk(PassthroughChunk(json: range, frame: frame, signals: line.signals(in: bytes)))
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
        let range = bytes.withoutBlanks, line: OllamaLine
        do throws(ProviderError) { line = try OllamaLine(range, in: bytes, hasBegun: false) } catch {
            // Some proxies stream although they were asked not to.
            guard error.code == ProviderError.unreadableCode, try readLines(bytes, &response) else { throw error }
            return
        }
        guard line.hasMessage else { throw .unreadable("JSON without a message") }
        guard line.isDone else { throw .truncated("the upstream closed the response before its end") }
        if call.keepsText, let text = line.text { response.keep(text: JSON.string(text, in: bytes)) }
        if line.usage != Usage() { response.usage(line.usage) }
        if call.isTyped {
            var reader = OllamaEventReader()
            try reader.read(line, bytes, &response)
        } else {
            response.buffered(range, signals: line.signals(in: bytes))
        }
        try response.requireContentOrReason()
        response.complete()
    }

    /// Reads lines as typed events, which the face puts together. False if they are none, or not all of a response.
    private func readLines(_ bytes: RawSpan, _ response: inout ResponseSink) throws(ProviderError) -> Bool {
        var lines: [OllamaLine] = [], decoder = NDJSONDecoder(), hasContent = false
        func add(_ range: Range<Int>?) -> Bool {
            guard let range, let line = try? OllamaLine(range, in: bytes, hasBegun: hasContent) else { return false }
            lines.append(line)
            if line.signals(in: bytes).contentBytes > 0 { hasContent = true }
            return true
        }
        while lines.last?.isDone != true {
            guard let next = try? decoder.nextLine(bytes) else { break }
            guard add(next) else { return false }
        }
        if lines.last?.isDone != true { guard let last = try? decoder.finish(bytes), add(last) else { return false } }
        guard lines.count > 1, lines.last?.isDone == true else { return false }
        var reader = OllamaEventReader()
        for line in lines {
            if call.keepsText, let text = line.text { response.keep(text: JSON.string(text, in: bytes)) }
            if line.usage != Usage() { response.usage(line.usage) }
            try reader.read(line, bytes, &response)
        }
        response.complete()
        return true
    }
}
