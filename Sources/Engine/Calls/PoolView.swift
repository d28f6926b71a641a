import NIOCore

/// The upstream connections to a provider, and the requests that wait for one.
package struct PoolView: Sendable, Equatable {
    package var provider: String
    /// Including those that are being opened.
    package var busy = 0
    package var idle = 0
    package var waiting = 0
}

extension Engine {
    /// The connections to each provider that has been called, over all event loops, in the order of the names.
    package func poolViews() async -> [PoolView] {
        var sums: [String: PoolView] = [:]
        for loop in loops {
            for view in (try? await loop.eventLoop.submit { loop.poolViews }.get()) ?? [] {
                sums[view.provider, default: PoolView(provider: view.provider)].busy += view.busy
                sums[view.provider]?.idle += view.idle
                sums[view.provider]?.waiting += view.waiting
            }
        }
        return sums.values.sorted { $0.provider < $1.provider }
    }
}
