/// The deadlines of a call and its attempts, all given. Zero means at once, so the schema refuses it.
package struct Timeouts: Sendable, Equatable {
    /// Waiting for a free connection.
    package var queue: Duration = .seconds(10)
    /// DNS, TCP and TLS.
    package var connect: Duration = .seconds(10)
    /// Between two writes that make progress, towards the upstream.
    package var write: Duration = .seconds(10)
    /// Request sent -> the response's head, streamed answers.
    package var firstByte: Duration = .seconds(60)
    /// Request sent -> first content, tool call, reasoning or finish of a stream.
    package var firstContent: Duration = .seconds(120)
    /// Between two reads of a stream, from the first content on.
    package var idle: Duration = .seconds(60)
    /// Request sent -> the end of a response that is not streamed.
    package var response: Duration = .seconds(300)
    /// An unused upstream connection is closed after so long.
    package var poolIdle: Duration = .seconds(55)
    /// Everything: every attempt, every wait.
    package var total: Duration = .seconds(600)

    package init() {}
}

/// The timeouts that one level of the policy gives; nil leaves it to the level below (request > route > model > provider > defaults).
package struct TimeoutOverrides: Sendable, Equatable {
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

    /// All of them given.
    package init(_ timeouts: Timeouts) {
        queue = timeouts.queue
        connect = timeouts.connect
        write = timeouts.write
        firstByte = timeouts.firstByte
        firstContent = timeouts.firstContent
        idle = timeouts.idle
        response = timeouts.response
        poolIdle = timeouts.poolIdle
        total = timeouts.total
    }
}

extension Timeouts {
    /// These, with what `overrides` gives in their place.
    package func overridden(by overrides: TimeoutOverrides) -> Timeouts {
        var result = self
        result.queue = overrides.queue ?? queue
        result.connect = overrides.connect ?? connect
        result.write = overrides.write ?? write
        result.firstByte = overrides.firstByte ?? firstByte
        result.firstContent = overrides.firstContent ?? firstContent
        result.idle = overrides.idle ?? idle
        result.response = overrides.response ?? response
        result.poolIdle = overrides.poolIdle ?? poolIdle
        result.total = overrides.total ?? total
        return result
    }
}

extension Timeouts {
    /// In the order of their declaration.
    var all: [Duration] { [queue, connect, write, firstByte, firstContent, idle, response, poolIdle, total] }
}

extension TimeoutOverrides {
    /// In the order of their declaration.
    var all: [Duration?] { [queue, connect, write, firstByte, firstContent, idle, response, poolIdle, total] }
}
