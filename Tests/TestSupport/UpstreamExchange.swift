/// One request at a scripted upstream, and the means to respond to it. Only the thread of its connection uses it.
package final class UpstreamExchange {
    /// The router has closed the connection, or has not read within the time limit. This error ends the script.
    package struct PeerClosed: Error {}

    /// Counted over all connections of the upstream, from 0.
    package let number: Int
    package let head: HTTPHead
    package let body: [UInt8]
    private let reader: MessageReader
    private let state: Watched<ScriptedUpstream.State>
    private(set) var isClosed = false

    init(number: Int, head: HTTPHead, body: [UInt8], reader: MessageReader, state: Watched<ScriptedUpstream.State>) {
        self.number = number
        self.head = head
        self.body = body
        self.reader = reader
        self.state = state
    }

    package var json: JSON? { JSON(body) }
    /// The text of the last message, which tests use as a nonce.
    package var prompt: String { json?["messages"]?.array?.last?["content"]?.string ?? "" }
    package var wantsStream: Bool { json?["stream"]?.bool ?? false }

    package func send(_ bytes: [UInt8], within limit: Duration = .seconds(60)) throws {
        let state = state
        guard reader.socket.send(bytes, until: Deadline(limit), { count in state.update { $0.sentBytes += count } }) else {
            throw PeerClosed()
        }
    }

    package func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends one chunk of a chunked body.
    package func chunk(_ text: String) throws {
        let bytes = Array(text.utf8)
        try send(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10])
    }

    package func event(_ json: String) throws { try chunk("data: \(json)\n\n") }

    package func finishChunks() throws { try send("0\r\n\r\n") }

    /// Sends FIN and waits for that of the router before it closes, because closing with unread bytes would send RST.
    package func close() {
        reader.socket.finishSending()
        isClosed = true
        _ = waitForPeerClose(within: .seconds(5))
        reader.socket.close()
    }

    package func reset() {
        isClosed = true
        reader.socket.reset()
    }

    package func finishSending() { reader.socket.finishSending() }

    /// Waits until the router closes the connection, and records when. Returns false after `limit`.
    @discardableResult
    package func waitForPeerClose(within limit: Duration) -> Bool {
        let deadline = Deadline(limit)
        do {
            while true { try reader.fill(deadline) }
        } catch MessageReader.Fault.deadline {
            return false
        } catch {
            let number = number
            state.update { if $0.requests[number].closedAt == nil { $0.requests[number].closedAt = .now } }
            return true
        }
    }

    /// Sends nothing more and keeps the connection open until the router closes it.
    package func hold() {
        _ = waitForPeerClose(within: .seconds(120))
        isClosed = true
    }

    /// Keeps the connection open for `time`; throws at once when the router closes it.
    package func pause(_ time: Duration) throws {
        if waitForPeerClose(within: time) { throw PeerClosed() }
    }
}
