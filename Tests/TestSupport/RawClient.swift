/// A client on a plain socket. It sends any bytes, cut anywhere, and reads responses with deadlines.
package final class RawClient: @unchecked Sendable {  // a test may pass it to a thread, but only one thread at a time uses it
    package enum Close: Equatable, Sendable {
        case end
        case reset
    }

    private let reader: MessageReader
    private var events = EventReader()
    private var ready: [EventReader.Item] = []

    /// - Parameter receiveBuffer: in bytes; a small one makes a stalled client exert backpressure early.
    package init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        reader = MessageReader(try Socket.connect(port: port, receiveBuffer: receiveBuffer))
    }

    deinit { reader.socket.close() }

    // MARK: Sending

    /// Returns false if the peer closed before it had read everything, as it does after many refusals.
    @discardableResult
    package func send(_ bytes: [UInt8], within limit: Duration = .seconds(10)) -> Bool {
        reader.socket.send(bytes, until: Deadline(limit))
    }

    @discardableResult
    package func send(_ text: String, within limit: Duration = .seconds(10)) -> Bool {
        send(Array(text.utf8), within: limit)
    }

    package func finishSending() { reader.socket.finishSending() }
    package func reset() { reader.socket.reset() }
    package func close() { reader.socket.close() }

    // MARK: Reading

    package func readHead(within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line) throws -> HTTPHead {
        try explain("a response head", limit, CallSite(file, line)) { try reader.readHead($0) }
    }

    package func readBody(
        of head: HTTPHead, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> [UInt8] {
        if (100..<200).contains(head.status) || head.status == 204 || head.status == 304 { return [] }
        return try explain("a complete body", limit, CallSite(file, line)) { try reader.readBody(head, untilClose: true, $0) }
    }

    package func readResponse(
        within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> Response {
        let head = try readHead(within: limit, file: file, line: line)
        return Response(head: head, body: try readBody(of: head, within: limit, file: file, line: line))
    }

    /// Returns the next event or comment of a chunked event stream, or nil at its proper end. Throws if the body is cut
    /// off.
    package func nextItem(
        within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> EventReader.Item? {
        try explain("the next event", limit, CallSite(file, line)) { deadline in
            while ready.isEmpty {
                guard let data = try reader.readChunk(deadline) else {
                    guard !events.isInsideEvent else { throw MessageReader.Fault.malformed("the body ends inside an event") }
                    return nil
                }
                ready = events.read(data)
            }
            return ready.removeFirst()
        }
    }

    /// Reads and discards everything until the peer closes.
    @discardableResult
    package func waitForClose(within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line) throws -> Close {
        try explain("the close of the connection", limit, CallSite(file, line)) { deadline in
            while true {
                do {
                    try reader.fill(deadline)
                    _ = reader.take(reader.buffer.count)
                } catch MessageReader.Fault.ended {
                    return .end
                } catch MessageReader.Fault.reset {
                    return .reset
                }
            }
        }
    }

    /// Returns all bytes until the peer closes or resets the connection.
    package func readToClose(within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line) throws -> [UInt8] {
        try explain("the close of the connection", limit, CallSite(file, line)) { deadline in
            do { return try reader.readToEnd(deadline) } catch MessageReader.Fault.reset { return reader.take(reader.buffer.count) }
        }
    }

    /// Returns true if nothing arrives for that long and the connection stays open.
    package func staysSilent(for time: Duration) -> Bool {
        guard reader.buffer.isEmpty, ready.isEmpty, case .deadline = reader.socket.receive(1, until: Deadline(time)) else { return false }
        return true
    }

    private func explain<Result>(_ what: String, _ limit: Duration, _ place: CallSite, _ read: (Deadline) throws -> Result) throws -> Result
    {
        do {
            return try read(Deadline(limit))
        } catch let fault as MessageReader.Fault {
            let unread = String(decoding: reader.buffer.prefix(400), as: UTF8.self)
            throw TestFailure("waited for \(what), but \(fault.description(after: limit)); unread: '\(unread)'", place)
        }
    }
}

/// A complete response.
package struct Response: Sendable {
    package let head: HTTPHead
    package var body: [UInt8]

    package var status: Int { head.status }
    package var text: String { String(decoding: body, as: UTF8.self) }
    package var json: JSON? { JSON(body) }
    /// `error.code` of an OpenAI error body.
    package var errorCode: String? { json?["error"]?["code"]?.string }
    package var errorType: String? { json?["error"]?["type"]?.string }
    package var content: String? { json?["choices"]?[0]?["message"]?["content"]?.string }
}

extension MessageReader.Fault {
    fileprivate func description(after limit: Duration) -> String {
        switch self {
        case .ended: "the peer closed"
        case .reset: "the peer reset the connection"
        case .deadline: "nothing more arrived within \(limit)"
        case .malformed(let what): "the message is malformed: \(what)"
        }
    }
}
