import Codecs
import ProviderKit

/// A decoder for a stream in another framing than its format's, as gateways in front of a server send it: the elements
/// of an array, lines of JSON, or events.
///
/// It gives each element to the format's own decoder in the framing that this one reads. Elements are copied, so that
/// decoder must give typed events, and no ranges.
struct ReframedDecoder<Base: ResponseDecoder>: ResponseDecoder {
    /// The framing that the format's own decoder reads.
    enum Framing {
        case events, lines
    }

    private enum Source {
        case array(JSONArrayDecoder), lines(NDJSONDecoder), events(SSEDecoder)
    }

    private var base: Base
    private let framing: Framing
    private var source: Source
    private var whole: (member: StaticString, value: StaticString, decoder: any ResponseDecoder)?
    private var isComplete = false

    /// - Parameters:
    ///   - form: ``BodyForm/jsonArray``, ``BodyForm/jsonLines``, or else events.
    ///   - whole: the decoder for an element that is a complete response, and the member with the value that shows it.
    ///     nil if the format has no such elements, or its stream decoder reads them.
    init(
        _ base: Base, takes framing: Framing, from form: BodyForm?,
        whole: (member: StaticString, value: StaticString, decoder: any ResponseDecoder)? = nil
    ) {
        self.base = base
        self.framing = framing
        self.whole = whole
        switch form {
        case .jsonArray: source = .array(JSONArrayDecoder())
        case .jsonLines: source = .lines(NDJSONDecoder())
        default: source = .events(SSEDecoder())
        }
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        while !isComplete, !response.isComplete {
            guard let element = try nextElement(bytes) else { return consume() }
            try read(element, &response)
        }
        return bytes.byteCount  // what follows the end is ignored
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if isComplete || response.isComplete { return }
        if let element = try lastElement(bytes) { try read(element, &response) }
        if isComplete || response.isComplete { return }
        if case .array(let array) = source, !array.isClosed {
            throw .truncated("the upstream closed the response in the middle of an array")
        }
        try base.finish([UInt8]().span.bytes, into: &response)
    }

    private mutating func read(_ element: [UInt8], _ response: inout ResponseSink) throws(ProviderError) {
        if let whole, JSONTree(element.span.bytes)?[whole.member]?.string == whole.value.description {
            var decoder = whole.decoder
            try decoder.finish(element.span.bytes, into: &response)
            isComplete = true
            return
        }
        whole = nil
        let line = JSON.onOneLine(element)
        let framed =
            switch framing {
            case .events: Array("data: ".utf8) + line + Array("\n\n".utf8)
            case .lines: line + [ASCII.lineFeed]
            }
        _ = try base.decode(framed.span.bytes, into: &response)
    }

    private mutating func nextElement(_ bytes: RawSpan) throws(ProviderError) -> [UInt8]? {
        switch source {
        case .array(var array):
            defer { source = .array(array) }
            return array.nextElement(bytes).map { Array(copying: $0, of: bytes) }
        case .lines(var lines):
            defer { source = .lines(lines) }
            do throws(NDJSONError) { return try lines.nextLine(bytes).map { Array(copying: $0, of: bytes) } } catch {
                throw .unreadable("invalid lines of JSON: \(error)")
            }
        case .events(var events):
            defer { source = .events(events) }
            while true {
                let event: SSEEvent?
                do throws(SSEError) { event = try events.nextEvent(bytes) } catch { throw .unreadable("an invalid event stream: \(error)") }
                guard let event else { return nil }
                if let data = try event.payload(of: bytes) { return data }
            }
        }
    }

    /// The element that the end of the body completes; nil if there is none.
    private mutating func lastElement(_ bytes: RawSpan) throws(ProviderError) -> [UInt8]? {
        switch source {
        case .array: return nil
        case .lines(var lines):
            do throws(NDJSONError) { return try lines.finish(bytes).map { Array(copying: $0, of: bytes) } } catch {
                throw .truncated("the upstream closed the stream in the middle of a line")
            }
        case .events(var events):
            guard let data = try events.finish(bytes)?.payload(of: bytes) else { return nil }
            do { try JSON.validate(data.span.bytes) } catch {
                throw .truncated("the upstream closed the stream in the middle of an event")
            }
            return data
        }
    }

    private mutating func consume() -> Int {
        switch source {
        case .array(var array):
            defer { source = .array(array) }
            return array.consume()
        case .lines(var lines):
            defer { source = .lines(lines) }
            return lines.consume()
        case .events(var events):
            defer { source = .events(events) }
            return events.consume()
        }
    }
}

extension SSEEvent {
    /// The event's data; nil if it is empty or OpenAI's end mark. Throws the error that the event is.
    fileprivate func payload(of bytes: RawSpan) throws(ProviderError) -> [UInt8]? {
        let data = joinedData ?? Array(copying: self.data, of: bytes)
        if isType("error", in: bytes) { throw .reported(data.span.bytes) }
        return data.isEmpty || data.span.bytes.isDoneMark ? nil : data
    }
}
