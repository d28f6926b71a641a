import NIOCore

/// A `Duration` counts attoseconds in 128 bits, which the standard library divides slowly; one division does for whole nanoseconds.
extension Duration {
    /// Whole nanoseconds; what is beyond an Int64 is its end.
    package var wholeNanoseconds: Int64 {
        let magnitude = attoseconds.magnitude
        let high = UInt64(truncatingIfNeeded: magnitude >> 64)
        let unit: UInt64 = 1_000_000_000
        guard high < unit else { return attoseconds < 0 ? .min : .max }
        let nanoseconds = Int64(clamping: unit.dividingFullWidth((high, UInt64(truncatingIfNeeded: magnitude))).quotient)
        return attoseconds < 0 ? -nanoseconds : nanoseconds
    }

    /// 0 for less than nothing.
    package var wholeMicroseconds: Int { max(0, Int(wholeNanoseconds / 1000)) }

    package init(wholeNanoseconds: Int64) {
        self.init(attoseconds: Int128(wholeNanoseconds) * 1_000_000_000)
    }
}

extension NIODeadline {
    /// This time, `duration` later; the distant future where that is beyond the clock.
    func advanced(by duration: Duration) -> NIODeadline { advanced(by: .nanoseconds(duration.wholeNanoseconds)) }

    /// The same; a negative time counts as none.
    func advanced(by time: TimeAmount) -> NIODeadline {
        let (sum, overflow) = uptimeNanoseconds.addingReportingOverflow(UInt64(clamping: time.nanoseconds))
        return overflow || sum > NIODeadline.distantFuture.uptimeNanoseconds ? .distantFuture : .uptimeNanoseconds(sum)
    }
}
