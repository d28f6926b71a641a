/// Why a message's bytes are refused. Of a request it becomes the refusal `status`; of a response, a malformed answer, whatever the status.
package struct WireFault: Error, Equatable, Sendable {
    package let status: Int
    package let reason: String

    init(_ status: Int, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    init(_ reason: String) { self.init(400, reason) }
}
