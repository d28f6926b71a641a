import NIOCore

/// The limits and timers of the server's side, per connection. Changed ones hold for new requests.
package struct ServerLimits: Sendable, Equatable {
    /// From a request's first byte (of a new connection: from the accept) to the end of its head; then 408.
    package var headTimeout: Duration = .seconds(10)
    /// Between two reads of a request's body; then 408.
    package var bodyTimeout: Duration = .seconds(30)
    /// How long a connection may wait for its next request.
    package var keepAliveIdle: Duration = .seconds(75)
    /// How long bytes may wait for a client that takes none.
    package var writeStall: Duration = .seconds(60)
    /// A request's head; more is a 431.
    package var maxHeadBytes = 32 * 1024
    /// A request's target; more is a 414.
    package var maxTargetBytes = 8 * 1024
    /// A request's header fields; more are a 431.
    package var maxFields = 100
    /// A request's body, whatever the handler would take; more is a 413.
    package var maxBodyBytes = 32 * 1024 * 1024
    /// Bytes a second that a body must bring on average, after `minBodyRateGrace`; slower is a 408.
    package var minBodyRate = 1024
    package var minBodyRateGrace: Duration = .seconds(10)

    package init() {}

    var head: HeadLimits { HeadLimits(headBytes: maxHeadBytes, targetBytes: maxTargetBytes, fields: maxFields) }
}

/// The times of `ServerLimits` in the event loop's own unit: a `Duration` is dear to convert, and several are needed for each request.
struct ServerTimes {
    let head: TimeAmount
    let body: TimeAmount
    let keepAliveIdle: TimeAmount
    let writeStall: TimeAmount
    /// How often a client that owes progress is looked at: it is cut off at most so much late. 60 s give 5 s.
    let stallCheck: TimeAmount
    let minBodyRate: Int
    let minBodyRateGrace: TimeAmount

    init(_ limits: ServerLimits) {
        head = TimeAmount(limits.headTimeout)
        body = TimeAmount(limits.bodyTimeout)
        keepAliveIdle = TimeAmount(limits.keepAliveIdle)
        writeStall = TimeAmount(limits.writeStall)
        stallCheck = TimeAmount(limits.writeStall / 12)
        minBodyRate = limits.minBodyRate
        minBodyRateGrace = TimeAmount(limits.minBodyRateGrace)
    }
}
