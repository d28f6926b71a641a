package import ProviderKit

/// The failure that last opened a breaker.
package struct BreakerOpening: Sendable, Equatable {
    package var failure: FailureClass
    /// Of the upstream's response; nil if there was none.
    package var status: Int?
    /// Without secrets.
    package var message: String
    /// In seconds since 1970.
    package var time: Int
}
