import NIOCore
import NIOEmbedded
import NIOHTTP1

/// What llhttp, as NIOHTTP1 wraps it, makes of some bytes.
struct Verdict {
    struct Message {
        var start: String
        var fields: [String]
        var body = ByteBuffer()
        var isComplete = false
    }

    var messages: [Message] = []

    static func requests(_ bytes: [UInt8]) -> Verdict {
        let clerk = Clerk<HTTPServerRequestPart> { part, verdict in
            switch part {
            case .head(let head):
                verdict.begin(
                    "\(head.method == .MSEARCH ? "M-SEARCH" : head.method.rawValue) \(head.uri) HTTP/\(head.version.major).\(head.version.minor)",
                    head.headers)
            case .body(let bytes): verdict.add(bytes)
            case .end: verdict.end()
            }
        }
        let channel = EmbeddedChannel()
        try? channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)), clerk,
        ])
        return clerk.judge(bytes, channel)
    }

    static func response(_ bytes: [UInt8]) -> Verdict {
        let clerk = Clerk<HTTPClientResponsePart> { part, verdict in
            switch part {
            case .head(let head): verdict.begin("\(head.status.code)", head.headers)
            case .body(let bytes): verdict.add(bytes)
            case .end: verdict.end()
            }
        }
        let channel = EmbeddedChannel()
        try? channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes)), clerk,
        ])
        _ = try? channel.writeOutbound(HTTPClientRequestPart.head(HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")))
        return clerk.judge(bytes, channel)
    }

    private mutating func begin(_ start: String, _ headers: HTTPHeaders) {
        messages.append(Message(start: start, fields: headers.map { "\($0.name.lowercased()): \(Self.trimmed($0.value))" }))
    }

    private mutating func add(_ bytes: ByteBuffer) {
        guard !messages.isEmpty else { return }
        messages[messages.count - 1].body.writeImmutableBuffer(bytes)
    }

    private mutating func end() {
        guard !messages.isEmpty else { return }
        messages[messages.count - 1].isComplete = true
    }

    private static func trimmed(_ value: String) -> String {
        var bytes = value.utf8[...]
        while let last = bytes.last, last == 32 || last == 9 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private final class Clerk<Part>: ChannelInboundHandler {
        typealias InboundIn = Part

        private let note: (Part, inout Verdict) -> Void
        private var verdict = Verdict()

        init(_ note: @escaping (Part, inout Verdict) -> Void) { self.note = note }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { note(unwrapInboundIn(data), &verdict) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {}

        func judge(_ bytes: [UInt8], _ channel: EmbeddedChannel) -> Verdict {
            _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
            let verdict = verdict
            _ = try? channel.finish(acceptAlreadyClosed: true)
            return verdict
        }
    }
}
