import ConfigTree
import Testing

struct AsWrittenTests {
    @Test(arguments: [
        (Duration.zero, "0s"), (.milliseconds(250), "250ms"), (.milliseconds(1500), "1500ms"), (.seconds(90), "90s"),
        (.seconds(600), "10m"), (.seconds(3600), "1h"), (.seconds(5400), "90m"), (.microseconds(1500), "1ms"),
    ])
    func `a duration is written in the largest unit that leaves a whole number`(duration: Duration, text: String) {
        #expect(duration.asWritten == text)
    }

    @Test(arguments: [(0.0, "0"), (5, "5"), (0.25, "0.25"), (-2, "-2"), (1e6, "1000000")])
    func `a whole number is written without a fraction`(number: Double, text: String) {
        #expect(number.asWritten == text)
    }

    @Test(arguments: [
        (0, "0B"), (512, "512B"), (1024, "1KiB"), (1536, "1536B"), (64 << 10, "64KiB"), (32 << 20, "32MiB"), (1 << 40, "1024GiB"),
    ])
    func `a size is written in the largest unit that leaves a whole number`(bytes: Int, text: String) {
        #expect(sizeAsWritten(bytes) == text)
    }
}
