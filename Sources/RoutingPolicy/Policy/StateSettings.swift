package import ConfigTree

/// `state:`: where the router keeps what must outlive it, and what several routers count together.
package struct StateSettings: Sendable, Equatable, OptionHolder {
    /// What happens to a request that the shared store can't decide about.
    package enum OnFailure: String, Sendable, CaseIterable {
        /// The router decides by what it knows itself.
        case local
        case refuse, allow
    }

    /// The absolute path of the SQLite database with the usage of the keys; nil: it is kept in memory.
    package var file: String?
    /// Where the policy names the file.
    package var filePosition: SourcePosition?
    /// The Redis server that counts for several routers; nil: this router counts alone.
    package var redis: RedisAddress?
    /// The beginning of the names of all values in Redis. Routers with the same prefix count together.
    package var prefix = "llm-router"
    /// How much of what is left of a key's limits a router takes at once, to spend it without asking: 0 to 0.5. Limits
    /// below 100 a minute are too small to be leased by default.
    package var lease = 0.01
    package var onFailure = OnFailure.local

    package init() {}
}
