package import NIOCore

/// The deadlines that a call starts with. `UpstreamCall.watch` arms others while it runs.
package struct UpstreamTimeouts: Sendable {
    /// The longest wait for a connection of the pool.
    package var queue: Duration
    /// The limit for DNS, TCP and TLS together.
    package var connect: Duration
    /// The longest pause between two writes that make progress.
    package var write: Duration
    /// From the sent request to the complete head of the response; interim responses don't count. nil: no limit.
    package var firstByte: Duration?
    /// The deadline of the whole call.
    package var total: NIODeadline

    package init(queue: Duration, connect: Duration, write: Duration, firstByte: Duration?, total: NIODeadline) {
        self.queue = queue
        self.connect = connect
        self.write = write
        self.firstByte = firstByte
        self.total = total
    }
}

/// The limits of one pool.
package struct UpstreamPoolSettings: Sendable, Equatable {
    /// The most connections of this event loop: idle, busy and connecting.
    package var maxConnections: Int
    /// The most requests that may wait for a connection.
    package var maxQueued: Int
    /// How long an unused connection is kept.
    package var poolIdle: Duration

    /// `maxQueued` defaults to `maxConnections`.
    package init(maxConnections: Int = 1024, maxQueued: Int? = nil, poolIdle: Duration = .seconds(55)) {
        self.maxConnections = maxConnections
        self.maxQueued = maxQueued ?? maxConnections
        self.poolIdle = poolIdle
    }
}
