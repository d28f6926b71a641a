import HTTPWire
package import NIOCore

extension NIODeadline {
    package static func + (deadline: NIODeadline, duration: Duration) -> NIODeadline {
        deadline + .nanoseconds(duration.wholeNanoseconds)
    }

    package static func - (end: NIODeadline, start: NIODeadline) -> Duration {
        let amount: TimeAmount = end - start
        return Duration(wholeNanoseconds: amount.nanoseconds)
    }
}

extension Duration {
    /// Milliseconds as a number, for responses and logs.
    package var milliseconds: Double { Double(wholeNanoseconds) / 1e6 }
}
