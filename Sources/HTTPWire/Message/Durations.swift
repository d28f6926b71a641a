import NIOCore

/// A `Duration` counts attoseconds in 128 bits, which the standard library divides slowly. These conversions need only
/// one division.
extension Duration {
    /// Whole nanoseconds, clamped to an Int64.
    package var wholeNanoseconds: Int64 {
        let magnitude = attoseconds.magnitude
        let high = UInt64(truncatingIfNeeded: magnitude >> 64), low = UInt64(truncatingIfNeeded: magnitude)
        let unit: UInt64 = 1_000_000_000
        guard high < unit else { return attoseconds < 0 ? .min : .max }
        // Most durations are below 18 seconds, and for these the processor need not divide.
        let nanoseconds = Int64(clamping: high == 0 ? low / unit : unit.dividingFullWidth((high, low)).quotient)
        return attoseconds < 0 ? -nanoseconds : nanoseconds
    }

    /// Whole microseconds; 0 if negative.
    package var wholeMicroseconds: Int { max(0, Int(wholeNanoseconds / 1000)) }

    package init(wholeNanoseconds: Int64) {
        self.init(attoseconds: Int128(wholeNanoseconds) * 1_000_000_000)
    }
}

extension NIODeadline {
    /// This time plus `duration`, at most the distant future.
    func advanced(by duration: Duration) -> NIODeadline { advanced(by: .nanoseconds(duration.wholeNanoseconds)) }

    /// This time plus `time`, at most the distant future. A negative `time` counts as 0.
    func advanced(by time: TimeAmount) -> NIODeadline {
        let (sum, overflow) = uptimeNanoseconds.addingReportingOverflow(UInt64(clamping: time.nanoseconds))
        return overflow || sum > NIODeadline.distantFuture.uptimeNanoseconds ? .distantFuture : .uptimeNanoseconds(sum)
    }
}
