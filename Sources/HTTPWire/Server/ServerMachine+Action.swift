import NIOCore

extension ServerMachine {
    /// The result of reading the input.
    enum Step {
        /// The input is read as far as possible.
        case wait
        /// The handler gets the request's head; `collect` or `leftUnread` follows, unless it responds at once.
        case accept(ParsedRequest)
        /// A part of the body. `rest`: the bytes that follow; nil if their number is unknown.
        case append(ByteBuffer, rest: Int?)
        /// The body is complete, and the handler gets the request.
        case handle
        case refuse(WireFault)
        /// The dropped body is over; `nextRequest` follows.
        case next
        case linger
    }

    /// What follows a response.
    enum Ending {
        /// `nextRequest` follows.
        case next
        /// Bytes of the body are to be dropped, by `step`.
        case discard
        /// The sending side is closed once everything is written.
        case linger
    }

    /// What happens to bytes that arrive.
    enum Arrival {
        /// They are appended to the input, which `step` reads.
        case read
        case drop
        /// The client sends too much; the connection is closed.
        case close
    }

    /// What follows a deadline.
    enum Expiry {
        case none
        case refuse(WireFault)
        case linger
        /// `progressed` decides; it needs the state of the socket.
        case checkProgress
    }

    /// What a client's progress means.
    enum Verdict {
        case wait, linger
        /// Everything is written, and the client has had its time.
        case close
        /// The client has taken no bytes for too long.
        case cutOff
    }
}
