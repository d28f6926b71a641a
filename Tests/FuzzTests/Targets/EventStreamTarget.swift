import Codecs
import TestSupport

/// The events are those of the standard's rules wherever the stream is cut, with and without a limit, and the events
/// written anew read back as equal.
func checkEventStream(_ bytes: [UInt8]) throws {
    let stream = try sameForEverySplit(of: bytes) { EventStream($0) }
    try ensure(stream.events == referenceEvents(bytes), "the events are \(stream.events), expected \(referenceEvents(bytes))")
    try ensure(stream.error == nil && stream.rest == 0, "it ends with \(stream)")
    _ = try sameForEverySplit(of: bytes) { EventStream($0, maxEventBytes: 24) }

    let events = stream.events + stream.last
    let written = events.map { event in
        (event.type == "message" ? "" : "event: \(event.type)\n")
            + event.data.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { "data: \(Substring($0))\n" }.joined() + "\n"
    }
    try ensure(EventStream([Array(written.joined().utf8)[...]]).events == events, "written anew, the events differ: \(events)")
}

private struct EventStream: Equatable {
    var events: [ReadEvent]
    /// The event that lacks its blank line.
    var last: [ReadEvent] = []
    var error: SSEError?
    /// The bytes that are left at the end.
    var rest = 0

    init(_ chunks: [ArraySlice<UInt8>], maxEventBytes: Int = 16 << 20) {
        var reader = SSEReader(maxEventBytes: maxEventBytes)
        do throws(SSEError) {
            for chunk in chunks { try reader.feed(Array(chunk)) }
            events = reader.events
            reader.events = []
            reader.finish()
            last = reader.events
            rest = reader.pending.count
        } catch {
            self.error = error
            events = reader.events
        }
    }
}
