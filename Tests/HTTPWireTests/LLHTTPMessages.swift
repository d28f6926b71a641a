import NIOCore
import NIOEmbedded
import NIOHTTP1

/// The messages that llhttp, wrapped by NIOHTTP1, parses from some bytes.
struct LLHTTPMessages {
    struct Message {
        var start: String
        var fields: [String]
        var body = ByteBuffer()
        var isComplete = false
    }

    var messages: [Message] = []

    static func requests(_ bytes: [UInt8]) -> LLHTTPMessages {
        let collector = Collector<HTTPServerRequestPart> { part, result in
            switch part {
            case .head(let head):
                let method = head.method == .MSEARCH ? "M-SEARCH" : head.method.rawValue
                result.begin("\(method) \(head.uri) HTTP/\(head.version.major).\(head.version.minor)", head.headers)
            case .body(let bytes): result.add(bytes)
            case .end: result.end()
            }
        }
        let channel = EmbeddedChannel()
        try? channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)), collector,
        ])
        return collector.parse(bytes, channel)
    }

    static func response(_ bytes: [UInt8]) -> LLHTTPMessages {
        let collector = Collector<HTTPClientResponsePart> { part, result in
            switch part {
            case .head(let head): result.begin("\(head.status.code)", head.headers)
            case .body(let bytes): result.add(bytes)
            case .end: result.end()
            }
        }
        let channel = EmbeddedChannel()
        try? channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes)), collector,
        ])
        _ = try? channel.writeOutbound(HTTPClientRequestPart.head(HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")))
        return collector.parse(bytes, channel)
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

    private final class Collector<Part>: ChannelInboundHandler {
        typealias InboundIn = Part

        private let record: (Part, inout LLHTTPMessages) -> Void
        private var result = LLHTTPMessages()

        init(_ record: @escaping (Part, inout LLHTTPMessages) -> Void) { self.record = record }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { record(unwrapInboundIn(data), &result) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {}

        func parse(_ bytes: [UInt8], _ channel: EmbeddedChannel) -> LLHTTPMessages {
            _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
            let result = result
            _ = try? channel.finish(acceptAlreadyClosed: true)
            return result
        }
    }
}
