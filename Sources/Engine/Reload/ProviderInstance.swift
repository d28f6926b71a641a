import NIOCore
package import ProviderKit
package import RoutingPolicy
import Synchronization

/// A running provider. Its connections and its state belong to the instance. The instance survives every reload that
/// does not change its definition, and after it is removed it lives until its last stream ends.
package final class ProviderInstance: Sendable {
    package let name: String
    package let provider: any Provider
    /// The settings of the provider. A new policy with equal settings keeps the instance.
    package let settings: any ProviderSettings
    /// The provider's plugin if it is a loaded one; nil for a built-in one.
    let loadedPlugin: String?
    /// The provider's `canContinue`, read once: calls need it on their event loops.
    let canContinue: Bool
    /// How long idle connections stay open.
    package let poolIdle: Duration
    /// The credentials of its requests; empty for a server without any.
    let credentials: [ProviderCredential]
    /// Which of several credentials a request gets; nil if there are not several.
    package let keys: KeyRing?
    /// What is known of the provider's own list of models.
    let listing = ModelListing()
    private let retired = Atomic(false)
    private let lastingRepairs = Mutex<[Repair]>([])
    private let hasRepairs = Atomic(false)

    package init(name: String, settings: any ProviderSettings, poolIdle: Duration, loadedPlugin: String? = nil) {
        self.loadedPlugin = loadedPlugin
        self.name = name
        self.settings = settings
        self.poolIdle = poolIdle
        provider = settings.makeProvider()
        canContinue = provider.canContinue
        credentials = provider.authentication.credentials.map(ProviderCredential.init)
        keys = credentials.count > 1 ? KeyRing(count: credentials.count) : nil
    }

    var tokenFiles: [TokenFile] {
        credentials.compactMap { if case .tokenFile(let file) = $0 { file } else { nil } }
    }

    /// Whether the file with the provider's token has another one than a request from this time had.
    func hasNewToken(since startedAt: NIODeadline, now: NIODeadline) -> Bool {
        tokenFiles.first?.hasChanged(since: startedAt, now: now) ?? false
    }

    /// The lasting repairs that have helped. Takes no lock while there are none.
    var repairs: [Repair] { hasRepairs.load(ordering: .acquiring) ? lastingRepairs.withLock { $0 } : [] }

    /// Adds a repair for all later requests. Returns false if it is known already.
    func remember(_ repair: Repair) -> Bool {
        let isNew = lastingRepairs.withLock { repairs in
            guard !repairs.contains(repair) else { return false }
            repairs.append(repair)
            return true
        }
        hasRepairs.store(true, ordering: .releasing)
        return isNew
    }

    /// Whether a reload has removed the instance. Its connections then close after their current request.
    package var isRetired: Bool { retired.load(ordering: .acquiring) }

    package func retire() { retired.store(true, ordering: .releasing) }
}
