public import ProviderKit

/// What this format's reader tells its writer about a chunk or a response.
extension Signals {
    /// Whether the object has a top-level member that the client must not get: `_router`, which another router has
    /// added, or an `error` that says nothing, which OpenAI's SDKs take for an error.
    public internal(set) var hasStrayMember: Bool {
        get { marks & 1 != 0 }
        set { if newValue { marks |= 1 } else { marks &= ~1 } }
    }

    /// Whether a chunk has usage and no choices, as the one that `stream_options.include_usage` adds. A client gets it
    /// only if it has requested it.
    public internal(set) var isUsageOnly: Bool {
        get { marks & 2 != 0 }
        set { if newValue { marks |= 2 } else { marks &= ~2 } }
    }
}
