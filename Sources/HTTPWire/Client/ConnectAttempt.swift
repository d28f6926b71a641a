import NIOCore

/// A connection that is being made for a call: all its channels, of which a name with several addresses has several in turn.
final class ConnectAttempt: @unchecked Sendable {  // confined to its event loop
    private var channels: [any Channel] = []
    private var isGivenUp = false
    /// The connection is made: it is the pool's from now on.
    var isOver = false { didSet { channels = [] } }

    /// Throws where nobody wants the connection any more.
    func add(_ channel: any Channel) throws {
        guard !isGivenUp else { throw UpstreamConnector.GivenUp() }
        channels.append(channel)
    }

    /// Nobody waits for it: its sockets are closed now, not when their time is up.
    func giveUp() {
        guard !isOver, !isGivenUp else { return }
        isGivenUp = true
        for channel in channels { channel.close(promise: nil) }
        channels = []
    }
}
