package import ProviderKit

/// Learns about the requests and the calls of one event loop: the metrics and the access log do.
///
/// Every method is called on that event loop, and must not wait. Nothing is called for a chunk. An event costs one
/// branch if nobody observes.
package protocol CallObserver: AnyObject {
    /// The call begins, before the limits of its key are checked.
    func began(_ call: RunningCall)
    /// An attempt begins; its request has not been made yet.
    func attemptBegan(_ attempt: AttemptView)
    /// The attempt's stream has its first content. Not called for a non-streamed response.
    func contentBegan(_ attempt: AttemptView)
    /// The attempt's request is sent again, as a part of the same attempt.
    ///
    /// - Parameter repair: the repair of the refused request; nil if it is sent unchanged, because the upstream closed
    ///   a kept connection without a response.
    func repeated(_ attempt: AttemptView, with repair: Repair?)
    /// - Parameter failure: nil if the attempt succeeded.
    func attemptEnded(_ attempt: AttemptView, _ failure: FailedAttempt?)
    /// The call has ended, and its record is complete. The client gets the end of the response next.
    ///
    /// - Parameter failure: nil if the response is complete.
    func ended(_ call: RunningCall, _ failure: CallFailure?)
    /// The response to a request has ended, whether the request led to a call or was refused before.
    func ended(_ request: borrowing RequestRecord)
}

/// Observers implement what they need.
extension CallObserver {
    package func began(_ call: RunningCall) {}
    package func attemptBegan(_ attempt: AttemptView) {}
    package func contentBegan(_ attempt: AttemptView) {}
    package func repeated(_ attempt: AttemptView, with repair: Repair?) {}
    package func attemptEnded(_ attempt: AttemptView, _ failure: FailedAttempt?) {}
    package func ended(_ call: RunningCall, _ failure: CallFailure?) {}
    package func ended(_ request: borrowing RequestRecord) {}
}

/// An attempt as observers see it.
package struct AttemptView {
    let attempt: Attempt

    package var call: RunningCall { attempt.call }
    /// An index into the models of the call's policy.
    package var model: Int { attempt.candidate.model }
    /// Whether the response ended with a finish reason that the plugin doesn't know.
    package var hasUnknownFinishReason: Bool { attempt.hasUnknownFinishReason }
}
