import NIOCore

@testable import HTTPWire

/// A chunked body has the same data wherever it is cut, ends with its last byte, and its data in chunks of one size
/// decode to the same.
func checkChunkedBody(_ bytes: [UInt8]) throws {
    let body = try sameForEverySplit(of: bytes) { ChunkedBody($0) }
    guard body.isComplete else { return }
    let count = bytes.count - body.rest
    try ensure(!ChunkedBody([bytes[..<(count - 1)]]).isComplete, "without its last byte, it is complete")
    var written: [UInt8] = []
    for start in stride(from: 0, to: body.data.count, by: 5) {
        let data = body.data[start..<min(start + 5, body.data.count)]
        written += "\(data.count)\r\n".utf8 + data + "\r\n".utf8
    }
    written += "0\r\n\r\n".utf8
    try ensure(ChunkedBody([written[...]]).data == body.data, "written anew, its data differ")
}

private struct ChunkedBody: Equatable {
    var data: [UInt8] = []
    var isComplete = false
    /// The bytes after the body.
    var rest = 0
    var fault: WireFault?

    init(_ chunks: [ArraySlice<UInt8>]) {
        var input = ByteBuffer(), decoder = ChunkedDecoder()
        do throws(WireFault) {
            for chunk in chunks {
                input.writeBytes(chunk)
                reading: while !isComplete {
                    switch try decoder.next(&input, limit: 7) {
                    case .bytes(let bytes): data += bytes.readableBytesView
                    case .more: break reading
                    case .end: isComplete = true
                    }
                }
            }
            rest = isComplete ? input.readableBytes : 0
        } catch { fault = error }
    }
}
