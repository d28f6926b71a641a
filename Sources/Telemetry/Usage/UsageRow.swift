/// What the requests of one key to one model have used in one hour.
package struct UsageRow: Sendable, Equatable {
    package struct Place: Sendable, Hashable {
        /// The first second of the hour, since 1970.
        package var hour: Int
        /// Empty for requests without a key.
        package var key: String
        package var provider: String
        /// As metrics name it: the models that a wildcard stands for share one.
        package var model: String

        /// Without the hour and the provider, because a model usually has one provider, and few rows of other hours are
        /// pending.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(key)
            hasher.combine(model)
        }
    }

    package struct Amount: Sendable, Equatable {
        package var requests = 0
        package var promptTokens = 0
        package var completionTokens = 0
        /// US dollars.
        package var dollars = 0.0
        /// The requests whose cost is not known.
        package var unpriced = 0

        package static func += (sum: inout Amount, other: Amount) {
            sum.requests += other.requests
            sum.promptTokens &+= other.promptTokens
            sum.completionTokens &+= other.completionTokens
            sum.dollars += other.dollars
            sum.unpriced += other.unpriced
        }
    }

    package var place: Place
    package var amount: Amount
}

/// What usage is summed up by.
package enum UsageDimension: String, CaseIterable, Sendable {
    case key, model, provider, hour, day
}
