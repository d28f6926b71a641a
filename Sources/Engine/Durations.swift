package import NIOCore

extension TimeAmount {
    /// Saturates at the ends of what 64 bits of nanoseconds hold, about 292 years.
    package init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowed) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        self = .nanoseconds(overflow || overflowed ? (seconds < 0 ? .min : .max) : sum)
    }
}

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
