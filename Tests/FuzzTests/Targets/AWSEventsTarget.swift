import Codecs

/// The messages are the same wherever the stream is cut, and each payload lies in the bytes.
func checkAWSEvents(_ bytes: [UInt8]) throws {
    let messages = try sameForEverySplit(of: bytes) { Messages($0) }
    try ensure(messages.payloads.allSatisfy { $0.count <= bytes.count }, "a payload is longer than the stream")
}

private struct Messages: Equatable {
    var headers: [[String: String]] = []
    var payloads: [[UInt8]] = []
    var isAtEnd = false
    var error: AWSEventStreamError?

    init(_ chunks: [ArraySlice<UInt8>]) {
        var decoder = AWSEventStreamDecoder()
        var pending: [UInt8] = []
        do throws(AWSEventStreamError) {
            for chunk in chunks {
                pending += chunk
                while let message = try decoder.nextMessage(pending.span.bytes) {
                    headers.append(message.headers)
                    payloads.append(Array(pending[message.payload]))
                }
                pending.removeFirst(decoder.consume())
            }
            isAtEnd = decoder.isAtEnd(pending.span.bytes)
        } catch {
            self.error = error
        }
    }
}
