import Testing

@testable import HTTPWire

@Suite("durations in whole nanoseconds")
struct DurationsTests {
    @Test(
        "conversions match the standard library",
        arguments: [
            .zero, .nanoseconds(1), .nanoseconds(-1), .milliseconds(1500), .seconds(-3), .seconds(600), .seconds(86_400 * 365),
            Duration(secondsComponent: 1, attosecondsComponent: 999_999_999),
        ] as [Duration])
    func conversions(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        #expect(duration.wholeNanoseconds == seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        #expect(Duration(wholeNanoseconds: duration.wholeNanoseconds) == .seconds(seconds) + .nanoseconds(attoseconds / 1_000_000_000))
        #expect(duration.wholeMicroseconds == max(0, seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
    }

    @Test("durations beyond an Int64 are clamped")
    func clamping() {
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.seconds(20_000_000_000).wholeNanoseconds == .max)
        #expect((Duration.zero - .seconds(Int64.max)).wholeNanoseconds < -9_000_000_000_000_000_000)
    }
}
