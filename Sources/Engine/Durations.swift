package import NIOCore

extension NIODeadline {
    package static func + (deadline: NIODeadline, duration: Duration) -> NIODeadline {
        deadline + TimeAmount(duration)
    }

    package static func - (end: NIODeadline, start: NIODeadline) -> Duration {
        let amount: TimeAmount = end - start
        return .nanoseconds(amount.nanoseconds)
    }

}

extension Duration {
    /// For answers and logs.
    package var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1e3 + Double(attoseconds) / 1e15
    }
}
