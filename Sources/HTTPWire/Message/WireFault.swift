/// The reason why a message's bytes are refused. `status` is the status of the refusal of a request; for an upstream's
/// response it has no meaning.
struct WireFault: Error, Equatable, Sendable {
    let status: Int
    let reason: String

    init(_ status: Int, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    init(_ reason: String) { self.init(400, reason) }
}
