import Glibc
import HTTPWire
import NIOCore
import NIOPosix
import NIOSSL

/// One end of a raw connection: sends given text and records what it receives.
final class Peer: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    enum Event: Sendable, Equatable {
        case opened, bytes(String), closed
    }

    let events = Mailbox<Event>()
    private let channels = Mailbox<any Channel>()

    /// - Parameter tls: how it speaks TLS; nil: not at all.
    static func connect(to address: SocketAddress?, tls: NIOSSLContext? = nil) async throws -> Peer {
        let peer = Peer()
        guard let address else { throw ChannelError.unknownLocalAddress }
        _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_rcvbuf), value: 32 * 1024)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil)) }
                    try channel.pipeline.syncOperations.addHandler(peer)
                }
            }
            .connect(to: address).get()
        return peer
    }

    func channelActive(context: ChannelHandlerContext) {
        channels.append(context.channel)
        events.append(.opened)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        events.append(.bytes(String(decoding: unwrapInboundIn(data).readableBytesView, as: UTF8.self)))
    }

    func channelInactive(context: ChannelHandlerContext) { events.append(.closed) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    var text: String { Self.text(events.elements) }

    private static func text(_ events: [Event]) -> String {
        events.map { if case .bytes(let text) = $0 { text } else { "" } }.joined()
    }

    private var channel: any Channel {
        get async throws {
            guard let channel = try await channels.wait(until: { !$0.isEmpty }).first else { throw ChannelError.ioOnClosedChannel }
            return channel
        }
    }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

    func send(bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    func close() async throws { try? await channel.close() }

    func closeOutput() async throws { try await channel.close(mode: .output) }

    /// Closes the connection with a reset.
    func reset() async throws {
        let channel = try await channel
        guard let provider = channel as? any SocketOptionProvider else { return }
        try await provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try? await channel.close()
    }

    /// Closes below TLS, without a close_notify.
    func cut() async throws {
        let channel = try await channel
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self).close(promise: nil)
        }.get()
    }

    /// The certificate of the other side in DER form.
    func peerCertificate() async throws -> [UInt8]? {
        let channel = try await channel
        return try await channel.eventLoop.submit { try channel.pipeline.syncOperations.nioSSL_peerCertificate()?.toDERBytes() }.get()
    }

    func setReading(_ isOn: Bool) async throws { try await channel.setOption(.autoRead, value: isOn).get() }

    /// All received text, once it ends with `suffix`.
    @discardableResult
    func receive(endingWith suffix: String) async throws -> String {
        Self.text(try await events.wait { Self.text($0).hasSuffix(suffix) })
    }

    @discardableResult
    func receive(atLeast bytes: Int) async throws -> String {
        Self.text(try await events.wait { Self.text($0).utf8.count >= bytes })
    }

    /// All received text, once the other side has closed.
    @discardableResult
    func receiveAll() async throws -> String { Self.text(try await events.wait { $0.contains(.closed) }) }
}
