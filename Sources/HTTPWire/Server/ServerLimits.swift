import NIOCore

/// The limits and timeouts of a server connection. Changes apply to new requests.
package struct ServerLimits: Sendable, Equatable {
    /// From a request's first byte (on a new connection, from the accept) to the end of its head; then 408.
    package var headTimeout: Duration = .seconds(10)
    /// The longest pause between two reads of a request's body; then 408.
    package var bodyTimeout: Duration = .seconds(30)
    /// From a request's head to the end of its body; then 408. Doesn't apply to uploads.
    package var bodyTotal: Duration = .seconds(300)
    /// How long the rest of a body is read and dropped after a response that came before its end.
    package var discardTime: Duration = .seconds(10)
    /// How long a connection may stay idle between two requests.
    package var keepAliveIdle: Duration = .seconds(75)
    /// How long a client may take no bytes while some wait for it; then it is cut off.
    package var writeStall: Duration = .seconds(60)
    /// The size limit of a request's head; a larger one is a 431.
    package var maxHeadBytes = 32 * 1024
    /// The size limit of a request's target; a longer one is a 414.
    package var maxTargetBytes = 8 * 1024
    /// The limit of a request's header fields; more are a 431.
    package var maxFields = 100
    /// The size limit of a request's body, even if the handler accepts more; a larger one is a 413.
    package var maxBodyBytes = 32 * 1024 * 1024
    /// The size limit of an upload.
    package var maxUploadBytes = 512 * 1024 * 1024
    /// The least average rate of a body in bytes per second, after `minBodyRateGrace`; a slower one is a 408. 0
    /// disables the rule.
    package var minBodyRate = 1024
    package var minBodyRateGrace: Duration = .seconds(10)
    /// The proxies that say who their clients are.
    package var trustedProxies = TrustedProxies()

    package init() {}

    var head: HeadLimits { HeadLimits(headBytes: maxHeadBytes, targetBytes: maxTargetBytes, fields: maxFields) }
}

/// The limits that a connection takes over between two requests. A class, so that this costs one reference.
final class ConnectionSettings: Sendable {
    let limits: ServerLimits
    let times: ServerTimes
    /// nil if there are none.
    let trustedProxies: TrustedProxies?

    init(_ limits: ServerLimits) {
        self.limits = limits
        trustedProxies = limits.trustedProxies.isEmpty ? nil : limits.trustedProxies
        times = ServerTimes(limits)
    }
}

/// The times of `ServerLimits` in NIO's unit. A `Duration` is expensive to convert, and each request needs several.
struct ServerTimes {
    let head: TimeAmount
    let body: TimeAmount
    let bodyTotal: TimeAmount
    let discard: TimeAmount
    let keepAliveIdle: TimeAmount
    let writeStall: TimeAmount
    /// How often a client's progress is checked; it is cut off at most this much late. A write stall of 60 s gives 5 s.
    let stallCheck: TimeAmount
    let minBodyRate: Int
    let minBodyRateGrace: TimeAmount

    init(_ limits: ServerLimits) {
        head = TimeAmount(limits.headTimeout)
        body = TimeAmount(limits.bodyTimeout)
        bodyTotal = TimeAmount(limits.bodyTotal)
        discard = TimeAmount(limits.discardTime)
        keepAliveIdle = TimeAmount(limits.keepAliveIdle)
        writeStall = TimeAmount(limits.writeStall)
        stallCheck = TimeAmount(limits.writeStall / 12)
        minBodyRate = limits.minBodyRate
        minBodyRateGrace = TimeAmount(limits.minBodyRateGrace)
    }
}
