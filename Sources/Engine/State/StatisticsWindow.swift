import NIOCore

/// The samples of the last minutes (`statistics.window`), counted in twentieths of that window. The current twentieth
/// is incomplete, so the window covers 19 to 20 of them. A value; its memory is constant (800 bytes).
struct StatisticsWindow: Sendable {
    /// Sums over samples.
    struct Counts: Sendable {
        var samples = 0
        var successes = 0
        /// The total latency of the successes, in microseconds.
        var latency = 0
        /// The number of successes with a time to the first content.
        var firstTokens = 0
        /// The total of these times, in microseconds.
        var firstToken = 0
    }

    private static let partCount: UInt64 = 20

    /// The length of a twentieth of the window, in nanoseconds.
    private let partLength: UInt64
    /// The current twentieth. Twentieths are numbered from the zero of the clock.
    private var current: UInt64 = 0
    /// The samples of each twentieth, by its number modulo 20.
    private var parts = InlineArray<20, Counts>(repeating: Counts())
    /// The sums over all twentieths.
    private var total = Counts()

    init(window: Duration) {
        partLength = UInt64(max(TimeAmount(window).nanoseconds, 0)) / Self.partCount
    }

    /// - Parameters:
    ///   - latency: in microseconds.
    ///   - firstToken: in microseconds; nil for a non-streamed response.
    mutating func addSuccess(latency: Int, firstToken: Int?, now: NIODeadline) {
        add(
            Counts(samples: 1, successes: 1, latency: latency, firstTokens: firstToken == nil ? 0 : 1, firstToken: firstToken ?? 0),
            now: now)
    }

    mutating func addFailure(now: NIODeadline) {
        add(Counts(samples: 1), now: now)
    }

    mutating func summary(now: NIODeadline) -> StatisticsSummary {
        advance(to: now)
        return StatisticsSummary(total)
    }

    private mutating func add(_ sample: Counts, now: NIODeadline) {
        advance(to: now)
        parts[position(current)] += sample
        total += sample
    }

    /// Begins the twentieth that contains `now`, and drops those that have left the window.
    private mutating func advance(to now: NIODeadline) {
        let next = now.uptimeNanoseconds / max(partLength, 1)
        guard next > current else { return }
        for number in (current + 1)...min(next, current + Self.partCount) {
            total -= parts[position(number)]
            parts[position(number)] = Counts()
        }
        current = next
    }

    private func position(_ number: UInt64) -> Int { Int(number % Self.partCount) }
}

extension StatisticsWindow.Counts {
    // Each sum is bounded by the number of samples times 2^32 (see `ModelStatistics`), which no window reaches.
    static func += (sum: inout Self, other: Self) {
        sum.samples += other.samples
        sum.successes += other.successes
        sum.latency += other.latency
        sum.firstTokens += other.firstTokens
        sum.firstToken += other.firstToken
    }

    static func -= (sum: inout Self, other: Self) {
        sum.samples -= other.samples
        sum.successes -= other.successes
        sum.latency -= other.latency
        sum.firstTokens -= other.firstTokens
        sum.firstToken -= other.firstToken
    }
}
