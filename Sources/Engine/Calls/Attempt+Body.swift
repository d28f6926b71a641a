import HTTPWire
import NIOCore
import ProviderKit

/// The first bytes of a response's body, and its content coding.
extension Attempt {
    /// Counts buffered bytes against `server.max_buffered`. Returns false if that is used up.
    func covers(_ bytes: Int) -> Bool {
        if bufferShare == nil {
            guard BufferShare.counts(bytes) else { return true }
            bufferShare = BufferShare(call.loop.budget)
        }
        return bufferShare?.cover(bytes) ?? true
    }

    /// Waits until the first bytes show what the body is, then creates its decoder.
    func sniff(_ bytes: ByteBuffer) {
        var bytes = pending.readableBytes > 0 ? pendingBytes(with: bytes) : bytes
        if contentCoding == nil, providerCall.operation.isAudio, isOpaque {
            beginDecoding(.other)
            return isDone ? () : decode(bytes)
        }
        if contentCoding != nil || bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) == BodyInflater.firstGzipByte {
            guard let isCompressed = beginsInflating(bytes) else {
                pending = bytes
                return
            }
            if isCompressed { return inflate(bytes) }
        }
        bytes.skipBlanks()
        guard let form = BodyForm(bytes.readableBytesSpan, contentType: head?["content-type"], isStream: providerCall.isStream) else {
            pending = bytes
            return
        }
        beginDecoding(form)
        if !isDone { decode(bytes) }
    }

    /// Whether the head names a type of bytes that are passed on as they are, and whose beginning means nothing: any
    /// but JSON, events and HTML.
    private var isOpaque: Bool {
        guard let type = head?["content-type"]?.lowercased() else { return false }
        return !["json", "event-stream", "html", "xml"].contains { type.contains($0) }
    }

    /// Whether the body begins in a compressed form; nil if more bytes are needed. If it does, it is inflated from now
    /// on.
    private func beginsInflating(_ start: ByteBuffer) -> Bool? {
        guard start.readableBytes >= 2 else { return nil }
        var mayBeBare = false
        if contentCoding?.isDeflate == true {
            var text = start
            text.skipBlanks()
            guard let form = BodyForm(text.readableBytesSpan, contentType: nil, isStream: false) else { return nil }
            mayBeBare = form == .other
        }
        inflater = BodyInflater(for: start, mayBeBare: mayBeBare)
        return inflater != nil
    }

    /// The body of an error, decoded if it is compressed.
    var errorBody: ByteBuffer {
        let bytes = pending
        guard let inflater = BodyInflater(for: bytes, mayBeBare: contentCoding?.isDeflate == true) else { return bytes }
        var body = ByteBuffer()
        do throws(WireFault) {
            try inflater.inflate(bytes) { if body.readableBytes < Self.maxErrorBytes { body.writeImmutableBuffer($0) } }
        } catch {
            return body.readableBytes > 0 ? body : bytes
        }
        return body
    }

    func inflate(_ bytes: ByteBuffer) {
        guard let inflater else { return }
        do throws(WireFault) {
            // Each part is handled as if it had arrived in this form.
            self.inflater = nil
            defer { self.inflater = inflater }
            try inflater.inflate(bytes) { bodyArrived($0) }
        } catch {
            failed(.malformed(error.reason))
        }
    }
}

/// The codings that a response's head names. Source: RFC 9110, section 8.4.1.
struct ContentCoding {
    private let names: [String]

    /// - Parameter field: the value of `content-encoding`.
    init(_ field: String) {
        names = field.lowercased().split(separator: ",").map { String($0.drop { $0 == " " }.prefix { $0 != " " && $0 != ";" }) }
    }

    var isDeflate: Bool { names == ["deflate"] }

    /// A coding that is not decoded; nil if there is none. A body that is named gzip and isn't is taken as it is.
    var unknown: String? { names.first { !["identity", "gzip", "x-gzip", "deflate", ""].contains($0) } }
}

extension ByteBuffer {
    /// Skips a byte order mark and white space, which mean nothing in front of JSON and events.
    fileprivate mutating func skipBlanks() {
        if let first = getInteger(at: readerIndex, as: UInt8.self), (0x21..<0x7F).contains(first) { return }
        if readableBytesView.starts(with: [0xEF, 0xBB, 0xBF]) { moveReaderIndex(forwardBy: 3) }
        moveReaderIndex(forwardBy: readableBytesView.prefix { [0x20, 0x09, 0x0A, 0x0D].contains($0) }.count)
    }
}
