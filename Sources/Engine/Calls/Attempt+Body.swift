import HTTPWire
import NIOCore
import ProviderKit

/// The first bytes of a response's body, and its content coding.
extension Attempt {
    /// Waits until the first bytes show what the body is, then creates its decoder.
    func sniff(_ bytes: ByteBuffer) {
        var bytes = pending.readableBytes > 0 ? pendingBytes(with: bytes) : bytes
        pending = bytes
        let head = head ?? UpstreamHead(status: 502)
        if head.mayBeCompressed(bytes) {
            guard let isCompressed = beginsInflating(bytes, head) else { return }
            if isCompressed {
                pending = noBytes
                return inflate(bytes)
            }
        }
        bytes.skipBlanks()
        guard let form = BodyForm(bytes.readableBytesSpan, contentType: head["content-type"], isStream: providerCall.isStream) else {
            return
        }
        beginDecoding(form, head)
        guard !isDone else { return }
        pending = noBytes
        decode(bytes)
    }

    /// - Parameter form: nil if the body is empty.
    func beginDecoding(_ form: BodyForm?, _ head: consuming UpstreamHead) {
        head.bodyForm = form
        do throws(ProviderError) {
            if inflater == nil, let coding = head.unknownCoding {
                throw ProviderError(
                    .upstreamError, message: "the upstream responded with the content encoding '\(coding)', which was not requested",
                    code: "upstream_unreadable")
            }
            begin(try translator.decoder(for: providerCall, head: head), form)
        } catch {
            fail(error)
        }
    }

    /// Whether the body begins in a compressed form; nil if more bytes are needed. If it does, it is inflated from now
    /// on.
    private func beginsInflating(_ start: ByteBuffer, _ head: UpstreamHead) -> Bool? {
        guard start.readableBytes >= 2 else { return nil }
        let mayBeBare: Bool
        if head.namesDeflate {
            var text = start
            text.skipBlanks()
            guard let form = BodyForm(text.readableBytesSpan, contentType: nil, isStream: false) else { return nil }
            mayBeBare = form == .other
        } else {
            mayBeBare = false
        }
        inflater = BodyInflater(for: start, mayBeBare: mayBeBare)
        return inflater != nil
    }

    /// The body of an error, decoded if it is compressed.
    var errorBody: ByteBuffer {
        let bytes = pending
        guard let inflater = BodyInflater(for: bytes, mayBeBare: head?.namesDeflate == true) else { return bytes }
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

extension UpstreamHead {
    private var codings: [String] {
        guard let field = self["content-encoding"] else { return [] }
        return field.lowercased().split(separator: ",").map { $0.drop { $0 == " " }.prefix { $0 != " " && $0 != ";" } }.map(String.init)
    }

    /// Whether a body with these first bytes can be compressed at all.
    fileprivate func mayBeCompressed(_ start: ByteBuffer) -> Bool {
        start.getInteger(at: start.readerIndex, as: UInt8.self) == BodyInflater.firstGzipByte || self["content-encoding"] != nil
    }

    /// Source: RFC 9110, section 8.4.1.
    fileprivate var namesDeflate: Bool { codings == ["deflate"] }

    /// A content coding that is not decoded. A body that is named gzip and isn't is taken as it is.
    fileprivate var unknownCoding: String? {
        codings.first { !["identity", "gzip", "x-gzip", "deflate", ""].contains($0) }
    }
}

extension ByteBuffer {
    /// Skips a byte order mark and white space, which mean nothing in front of JSON and events.
    fileprivate mutating func skipBlanks() {
        if let first = getInteger(at: readerIndex, as: UInt8.self), (0x21..<0x7F).contains(first) { return }
        if readableBytesView.starts(with: [0xEF, 0xBB, 0xBF]) { moveReaderIndex(forwardBy: 3) }
        moveReaderIndex(forwardBy: readableBytesView.prefix { [0x20, 0x09, 0x0A, 0x0D].contains($0) }.count)
    }
}
