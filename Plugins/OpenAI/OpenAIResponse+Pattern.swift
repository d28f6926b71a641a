import Codecs
import ProviderKit

/// What is the same in most chunks of a stream: all but the text. Whoever has read one chunk has read what stands around the next one's text: that is compared,
/// and only the text is passed.
struct ChunkPattern {
    private static let maxBytes = 4096
    private static let patience = 8

    /// Up to the text's opening quote; empty: nothing was learned.
    private var before: [UInt8] = []
    /// From its closing quote to the end, or to the padding's opening quote.
    private var behind: [UInt8] = []
    /// Behind the padding, where there is one.
    private var end: [UInt8]?
    /// Comparisons that may still be in vain: some streams have something new in each chunk.
    private var triesLeft = Self.patience

    /// The chunk at `range`, if it is as the one before but for its text; nil: it has to be read.
    mutating func chunk(_ range: Range<Int>, in source: RawSpan) -> OpenAIChunk? {
        guard !before.isEmpty else { return nil }
        guard let text = text(in: source.extracting(range)) else {
            triesLeft -= 1
            before = []
            return nil
        }
        triesLeft = Self.patience
        return OpenAIChunk(text: (range.lowerBound + text.lowerBound)..<(range.lowerBound + text.upperBound), json: range)
    }

    private func text(in bytes: RawSpan) -> Range<Int>? {
        guard bytes.has(before, at: 0), let text = string(at: before.count, in: bytes), text.count > 2,
            bytes.has(behind, at: text.upperBound)
        else { return nil }
        var rest = text.upperBound + behind.count
        if let end {
            guard let padding = string(at: rest, in: bytes), bytes.has(end, at: padding.upperBound) else { return nil }
            rest = padding.upperBound + end.count
        }
        return rest == bytes.byteCount ? text : nil
    }

    private func string(at start: Int, in bytes: RawSpan) -> Range<Int>? {
        var cursor = JSONCursor(at: start)
        guard let value = try? cursor.skipValue(bytes), value.kind == .string, value.range.lowerBound == start else { return nil }
        return value.range
    }

    /// - Parameter chunk: read from `range`.
    mutating func learn(_ chunk: OpenAIChunk, _ range: Range<Int>, in source: RawSpan) {
        guard triesLeft > 0, range.count <= Self.maxBytes, let text = chunk.text, chunk.isText, chunk.json == range else { return }
        let padding = chunk.padding.flatMap { $0.lowerBound >= text.upperBound ? $0 : nil }
        before = source.bytes(range.lowerBound..<text.lowerBound)
        behind = source.bytes(text.upperBound..<(padding?.lowerBound ?? range.upperBound))
        end = padding.map { source.bytes($0.upperBound..<range.upperBound) }
    }
}

extension RawSpan {
    fileprivate func bytes(_ range: Range<Int>) -> [UInt8] { extracting(range).withUnsafeBytes { Array($0) } }

    fileprivate func has(_ expected: [UInt8], at offset: Int) -> Bool {
        guard expected.count <= byteCount - offset else { return false }
        let found = extracting(offset..<(offset + expected.count)), expected = expected.span.bytes
        var index = 0
        while index + 8 <= expected.byteCount {
            guard
                found.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
                    == expected.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            else { return false }
            index += 8
        }
        while index < expected.byteCount {
            guard found.unsafeLoad(fromByteOffset: index, as: UInt8.self) == expected.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            else { return false }
            index += 1
        }
        return true
    }
}
