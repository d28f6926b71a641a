package import NIOCore
package import ProviderKit

/// The client's side of a call: encodes the response for the endpoint that the client requested.
///
/// All methods are called on the call's event loop, in this order: `begin`; `write` any number of times; `begin` again
/// for each further attempt; for a stream `commit`, then `write`, `flush` and `resume` any number of times; at last
/// either `finish` or `fail`.
package protocol ResponseWriter: AnyObject {
    /// An attempt begins. Bytes that an earlier attempt staged are dropped.
    func begin(_ record: CallRecord)
    /// Writes parts of the response. Their ranges count from the reader index of `bytes`. Before `commit` they are
    /// staged, not sent.
    func write(_ parts: [ResponsePart], of bytes: ByteBuffer)
    /// The number of bytes that are staged or held back for another reason.
    var stagedBytes: Int { get }
    /// The upstream has sent its first content, so the stream belongs to this attempt. Called for streams only.
    func commit(_ record: CallRecord)
    /// The stream broke, and another model continues it. The parts that follow are sent after those already sent.
    func resume(_ record: CallRecord)
    /// A read has ended: sends what was written since the last flush.
    func flush()
    /// Whether a complete non-streamed response, which has not been written, is JSON in each of its choices. A choice
    /// without text, such as one with a tool call or a refusal, counts as JSON.
    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool
    /// The response is complete.
    func finish(_ record: CallRecord)
    /// The call has failed, before or after `commit`. The cause is `clientLeft` if there is nobody to respond to.
    func fail(_ failure: CallFailure, _ record: CallRecord)
}
