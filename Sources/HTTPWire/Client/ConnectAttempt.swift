import NIOCore

/// An attempt to connect for a call, with all its channels: a host name with several addresses opens several.
final class ConnectAttempt: @unchecked Sendable {  // confined to its event loop
    private var channels: [any Channel] = []
    private var isCancelled = false
    /// Whether the connection is established. From then on it belongs to the pool.
    var isConnected = false { didSet { channels = [] } }

    /// Adds a channel; throws if the attempt was cancelled.
    func add(_ channel: any Channel) throws {
        guard !isCancelled else { throw UpstreamConnector.ConnectCancelled() }
        channels.append(channel)
    }

    /// Closes the sockets immediately, without waiting for the connect timeout.
    func cancel() {
        guard !isConnected, !isCancelled else { return }
        isCancelled = true
        for channel in channels { channel.close(promise: nil) }
        channels = []
    }
}
