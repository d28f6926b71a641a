package import ProviderKit
package import RoutingPolicy
import Synchronization

/// A running provider: its translator, and the identity that its connections and its state hang on. It lives from the policy that defines it to the
/// end of its last stream, over every reload that leaves its definition equal.
package final class ProviderInstance: Sendable {
    package let name: String
    package let provider: any Provider
    /// What it was made from; equal settings in a new policy keep the instance.
    package let settings: any ProviderSettings
    /// How long its unused connections stay open.
    package let poolIdle: Duration
    /// Masks what must not show in texts that its upstream sent.
    let mask: SecretMask
    private let retired = Atomic(false)

    package init(name: String, settings: any ProviderSettings, poolIdle: Duration) {
        self.name = name
        self.settings = settings
        self.poolIdle = poolIdle
        provider = settings.makeProvider()
        mask = SecretMask(provider.secrets)
    }

    /// True from the reload that dropped it: its connections close instead of being kept.
    package var isRetired: Bool { retired.load(ordering: .acquiring) }

    package func retire() { retired.store(true, ordering: .releasing) }
}
