/// The reason why a message's bytes are refused. `status` is the status of the refusal of a request; for an upstream's
/// response it has no meaning.
package struct WireFault: Error, Equatable, Sendable {
    package let status: Int
    /// For people.
    package let reason: String
    /// The `code` of the refusal; nil derives it from the status.
    package let code: String?

    package init(_ status: Int, _ reason: String, code: String? = nil) {
        self.status = status
        self.reason = reason
        self.code = code
    }

    init(_ reason: String) { self.init(400, reason) }
}
