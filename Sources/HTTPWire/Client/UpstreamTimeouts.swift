package import NIOCore

/// The deadlines that a call starts with; more can be watched while it runs.
package struct UpstreamTimeouts: Sendable {
    /// Waiting for a connection of the pool.
    package var queue: Duration
    /// DNS, TCP and TLS together.
    package var connect: Duration
    /// Between two writes that make progress.
    package var write: Duration
    /// Request sent -> the response's head, whole; interim responses don't count. nil doesn't watch it.
    package var firstByte: Duration?
    /// The end of everything.
    package var total: NIODeadline

    package init(queue: Duration, connect: Duration, write: Duration, firstByte: Duration?, total: NIODeadline) {
        self.queue = queue
        self.connect = connect
        self.write = write
        self.firstByte = firstByte
        self.total = total
    }
}

/// The bounds of one pool.
package struct UpstreamPoolSettings: Sendable, Equatable {
    /// Connections, idle, busy and being made; for this event loop.
    package var maxConnections: Int
    /// Requests that may wait for one.
    package var maxQueued: Int
    /// An unused connection is closed after so long.
    package var poolIdle: Duration

    /// Without `maxQueued` as many may wait as may run.
    package init(maxConnections: Int = 1024, maxQueued: Int? = nil, poolIdle: Duration = .seconds(55)) {
        self.maxConnections = maxConnections
        self.maxQueued = maxQueued ?? maxConnections
        self.poolIdle = poolIdle
    }
}
