/// `hedge:` of a route: a second attempt that runs beside a slow first one.
package struct Hedge: Sendable, Equatable {
    package enum Delay: Sendable, Equatable {
        case after(Duration)
        /// The first model's observed 95th percentile of the time to first content. Without 20 observations there is no
        /// hedge.
        case p95
    }

    package var delay: Delay
    /// US dollars that the second attempt may cost at most, by its model's price, the estimated prompt and
    /// `max_tokens`. nil: no limit. A model without a price exceeds every limit.
    package var maxCost: Double?

    package init(delay: Delay, maxCost: Double? = nil) {
        self.delay = delay
        self.maxCost = maxCost
    }
}
