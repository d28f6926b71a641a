import Codecs
import Engine
import NIOCore
import NIOPosix
import ProviderKit
import RoutingPolicy

/// Sends one request over its own connection, and reads the complete response.
enum LiveCall {
    static func send(
        _ body: [UInt8], secret: String?, to address: SocketAddress?, on group: MultiThreadedEventLoopGroup
    ) async throws -> LiveResponse {
        guard let address else { throw ChannelError.unknownLocalAddress }
        let loop = group.next()
        let received = loop.makePromise(of: ByteBuffer.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Collector(received)) }
            }.connect(to: address).get()
        } catch {
            received.fail(error)
            throw error
        }
        var lines = ["POST /v1/chat/completions HTTP/1.1", "Host: 127.0.0.1", "Connection: close", "Content-Length: \(body.count)"]
        if let secret { lines.append("Authorization: Bearer \(secret)") }
        var request = ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n")
        request.writeBytes(body)
        channel.writeAndFlush(request, promise: nil)
        return LiveResponse(try await received.futureResult.get())
    }

    /// Collects all bytes until the connection is closed.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let promise: EventLoopPromise<ByteBuffer>
        private var received = ByteBuffer()

        init(_ promise: EventLoopPromise<ByteBuffer>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) { promise.succeed(received) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// A response of the router's own server, streamed or non-streamed.
struct LiveResponse {
    private(set) var status = 0
    private var body: [UInt8] = []

    init(_ received: ByteBuffer) {
        let bytes = Array(received.readableBytesView)
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).lowercased()
        status = Int(head.split(separator: " ").dropFirst().first?.prefix(3) ?? "") ?? 0
        body = Array(bytes[end.upperBound...])
        if head.contains("transfer-encoding: chunked") { body = Self.dechunked(body) }
    }

    /// The attempts and the result of the request, read from the response's `_router`.
    func routingResult(in snapshot: Snapshot) -> ExpectationTrial.RoutingResult {
        var result = ExpectationTrial.RoutingResult(attempts: [], isComplete: false)
        var message = ""
        for document in documents {
            guard let router = document.value("_router") else {
                if let error = document.value("error") { message = error.text("message") ?? message }
                continue
            }
            // Each later document repeats all attempts, so the last one counts.
            result.attempts = router.elements("errors").compactMap { model($0, snapshot) }
            result.chosen = nil
            if let error = document.value("error") {
                message = error.text("message") ?? message
            } else if let chosen = model(router, snapshot) {
                result.attempts.append(chosen)
                result.chosen = chosen
            }
        }
        if result.chosen == nil { result.refusal = RequestRefusal(status: status, code: nil, message: message) }
        return result
    }

    private func model(_ record: Document, _ snapshot: Snapshot) -> Int? {
        guard let provider = record.text("provider"), let name = record.text("model_name") else { return nil }
        return snapshot.models(expected: "\(provider)/\(name)").first
    }

    /// The JSON object of a non-streamed response, or those of a stream's events.
    private var documents: [Document] {
        if body.first == UInt8(ascii: "{") { return [Document(bytes: body)] }
        let prefix = Array("data: {".utf8)
        return body.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).filter { $0.starts(with: prefix) }.map {
            Document(bytes: Array($0.dropFirst(prefix.count - 1)))
        }
    }

    /// Decodes a complete chunked body. Source: RFC 9112, 7.1.
    private static func dechunked(_ chunks: [UInt8]) -> [UInt8] {
        var remaining = chunks[...], body: [UInt8] = []
        while let end = remaining.firstIndex(of: 0x0D), let size = Int(String(decoding: remaining[..<end], as: UTF8.self), radix: 16),
            size > 0, remaining.endIndex - end >= size + 4
        {
            body += remaining[(end + 2)..<(end + 2 + size)]
            remaining = remaining[(end + 4 + size)...]
        }
        return body
    }
}

/// A JSON object with its own copy of the bytes.
private struct Document {
    var bytes: [UInt8]

    func value(_ name: StaticString) -> Document? {
        guard let value = member(name), value.kind == .object else { return nil }
        return Document(bytes: Array(bytes[value.range]))
    }

    func text(_ name: StaticString) -> String? {
        guard let value = member(name), value.kind == .string else { return nil }
        return JSON.string(value.range, in: bytes.span.bytes)
    }

    /// The elements of an array, which are objects.
    func elements(_ name: StaticString) -> [Document] {
        guard let value = member(name), value.kind == .array else { return [] }
        var cursor = JSONCursor(at: value.range.lowerBound)
        var found: [Document] = []
        do throws(JSONError) {
            try cursor.enterArray(bytes.span.bytes)
            while try cursor.nextElement(bytes.span.bytes) {
                found.append(Document(bytes: Array(bytes[try cursor.skipValue(bytes.span.bytes).range])))
            }
        } catch {
            return found
        }
        return found
    }

    private func member(_ name: StaticString) -> JSONValue? {
        (try? JSON.members(of: bytes.span.bytes))?.last { JSON.isKey($0.key, name, in: bytes.span.bytes) }?.value
    }
}
