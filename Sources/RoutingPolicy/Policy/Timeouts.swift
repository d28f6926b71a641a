/// The deadlines of a call and its attempts, all of them set.
package struct Timeouts: Sendable, Equatable {
    package var queue: Duration = .seconds(10)
    package var connect: Duration = .seconds(10)
    package var write: Duration = .seconds(10)
    package var firstByte: Duration = .seconds(60)
    package var firstContent: Duration = .seconds(120)
    package var idle: Duration = .seconds(60)
    package var response: Duration = .seconds(300)
    package var poolIdle: Duration = .seconds(55)
    package var total: Duration = .seconds(600)

    package init() {}

    /// These timeouts, with what `overrides` sets in their place.
    package func overridden(by overrides: TimeoutOverrides) -> Timeouts { applying(overrides) }
}

/// The timeouts that one level of the policy sets; nil leaves a timeout to the level below.
package struct TimeoutOverrides: Sendable, Equatable, OptionHolder {
    package var queue: Duration?
    package var connect: Duration?
    package var write: Duration?
    package var firstByte: Duration?
    package var firstContent: Duration?
    package var idle: Duration?
    package var response: Duration?
    package var poolIdle: Duration?
    package var total: Duration?

    package init() {}
}

extension Timeouts: LayeredSettings {
    static let sectionName = "timeouts"
    static let about = "may be set on defaults, a provider, a model or a route"

    static let layered: [LayeredOption<Timeouts, TimeoutOverrides>] = [
        .init("queue", \.queue, \.queue, .wait, help: "how long a request waits for a free connection or a free slot; 0s: not at all"),
        .init("connect", \.connect, \.connect, .duration, help: "the longest time for DNS, TCP and TLS together"),
        .init("write", \.write, \.write, .duration, help: "the longest time between two writes to the upstream that make progress"),
        .init(
            "first_byte", \.firstByte, \.firstByte, .duration,
            help: "the longest time from the request to the head of a streamed response"),
        .init(
            "first_content", \.firstContent, \.firstContent, .duration,
            help: "the longest time from the request to the first content, tool call, reasoning or finish of a stream"),
        .init("idle", \.idle, \.idle, .duration, help: "the longest time between two reads of a stream, from its first content on"),
        .init(
            "response", \.response, \.response, .duration,
            help: "the longest time from the request to the end of a non-streamed response"),
        .init("pool_idle", \.poolIdle, \.poolIdle, .duration, help: "how long an unused upstream connection is kept open"),
        .init("total", \.total, \.total, .duration, help: "the longest time for the whole call: every attempt and every wait"),
    ]
}
