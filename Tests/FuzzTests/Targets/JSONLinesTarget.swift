import Codecs

/// The lines are the parts between line feeds that are not blank, wherever the stream is cut, and a limit refuses the
/// same line each time.
func checkJSONLines(_ bytes: [UInt8]) throws {
    let lines = try sameForEverySplit(of: bytes) { Lines($0) }
    try ensure(lines.complete == expectedLines(bytes), "the lines are \(lines.complete), expected \(expectedLines(bytes))")
    _ = try sameForEverySplit(of: bytes) { Lines($0, maxLineBytes: 12) }
}

private func expectedLines(_ bytes: [UInt8]) -> [[UInt8]] {
    let stream = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    return stream.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
        .map { Array($0.last == 0x0D ? $0.dropLast() : $0) }
        .filter { line in !line.allSatisfy(JSON.isBlank) }
}

private struct Lines: Equatable {
    var complete: [[UInt8]] = []
    var last: [UInt8]?
    var error: NDJSONError?

    init(_ chunks: [ArraySlice<UInt8>], maxLineBytes: Int = 16 << 20) {
        var decoder = NDJSONDecoder(maxLineBytes: maxLineBytes)
        var pending: [UInt8] = []
        do throws(NDJSONError) {
            for chunk in chunks {
                pending += chunk
                while let line = try decoder.nextLine(pending.span.bytes) { complete.append(Array(pending[line])) }
                pending.removeFirst(decoder.consume())
            }
            last = try decoder.finish(pending.span.bytes).map { Array(pending[$0]) }
        } catch {
            self.error = error
        }
    }
}
