/// A decoder for one response of an upstream.
///
/// The router creates it with ``Provider/decoder(for:head:)``, uses it on the event loop of the call, and drops it with
/// the attempt. It calls ``decode(_:into:)`` for each read of the body, and ``finish(_:into:)`` once when the body has
/// ended. After ``ResponseSink/complete()`` or a throw, nothing more is called. All calls get the same sink.
///
/// The same bytes must give the same response, wherever they are cut: a network may deliver them in reads of any size.
/// A decoder for server-sent events, whose upstream sends `{"text": …}` and finally `{"done": true}`:
///
/// ```swift
/// struct AcmeDecoder: ResponseDecoder {
///     let keepsText: Bool
///     var events = SSEDecoder()
///
///     mutating func decode(_ bytes: RawSpan, into sink: inout ResponseSink) throws(ProviderError) -> Int {
///         do {
///             while let event = try events.nextEvent(bytes) {
///                 let json = bytes.extracting(event.data)
///                 for member in try JSON.members(of: json) { read(member, json, &sink) }
///             }
///         } catch {
///             throw ProviderError(.upstreamError, message: "the upstream sent an invalid event: \(error)")
///         }
///         return events.consume()
///     }
///
///     mutating func finish(_ bytes: RawSpan, into sink: inout ResponseSink) throws(ProviderError) {
///         throw .truncated("the upstream closed the stream before its end")
///     }
///
///     private func read(_ member: JSONMember, _ json: RawSpan, _ sink: inout ResponseSink) {
///         if JSON.isKey(member.key, "text", in: json), member.value.kind == .string {
///             let text = JSON.string(member.value.range, in: json)
///             sink.event(.text(text))
///             if keepsText { sink.keep(text: text) }
///         } else if JSON.isKey(member.key, "done", in: json) {
///             sink.event(.finish(.stop))
///             sink.complete()
///         }
///     }
/// }
/// ```
public protocol ResponseDecoder {
    /// Decodes bytes of the body, and adds what it finds to the sink.
    ///
    /// A decoder that has not consumed all bytes gets the rest again in the next call, followed by new bytes. It may
    /// remember how far it has scanned them. It may consume nothing until the body has ended, but the router gives up
    /// on a response if more than 16 MiB of a stream, or 64 MiB of any other response, are not consumed.
    ///
    /// Throw to end the response with an error. The parts that this call has added before are still used.
    ///
    /// - Parameters:
    ///   - bytes: all bytes that are not consumed yet, contiguous. They are valid only until this method returns.
    ///   - response: the sink. The ranges of its parts refer to `bytes`.
    /// - Returns: the number of bytes at the front that are consumed and must not be passed again.
    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int

    /// Decodes the rest of a body that has ended. Returning means that the response is complete. If it has typed
    /// events, but no ``ChatEvent/finish(_:stopSequence:)``, the router adds one: with the reason of tool calls if
    /// there are any, and that of the model's own end otherwise.
    ///
    /// Throw ``ProviderError/truncated(_:)`` if the wire format marks the end of a response, and the mark was not seen.
    ///
    /// If the connection breaks in the middle of a stream of which the client has a part already, the router calls this
    /// method too. If it returns, the response counts as complete; if it throws, the connection's error counts.
    ///
    /// - Parameters:
    ///   - bytes: the bytes that were never consumed, possibly none.
    ///   - response: the sink. The ranges of its parts refer to `bytes`.
    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError)
}
