/// A change to a request that an upstream has refused, which may make it accept the request.
///
/// The router asks ``Provider/repair(of:body:refusedWith:refusal:)`` for one, and sends the request to the same model
/// again, at once, with the repair in ``Call/repairs``. That is no attempt: it doesn't count for limits, retries and
/// the breaker.
public struct Repair: Sendable, Hashable {
    /// What the repair does, in words that end the sentence "sent again …", such as `without 'stream_options'`.
    public let name: String
    /// Whether all later requests to this provider get the repair too, once it has helped.
    public let isLasting: Bool
    /// What the operator can do about the cause; nil if nothing.
    public let advice: String?

    /// Creates a repair.
    public init(_ name: String, isLasting: Bool, advice: String? = nil) {
        self.name = name
        self.isLasting = isLasting
        self.advice = advice
    }
}
