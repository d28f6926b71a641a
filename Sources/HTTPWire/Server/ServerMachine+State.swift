import NIOCore

extension ServerMachine {
    enum State {
        /// Waiting for a request or reading its head.
        case head(isFirst: Bool, idleSince: NIODeadline)
        /// The response is outstanding; bytes that follow the request wait in the input.
        case serving(Request)
        /// The response was sent before the end of the request's body, the rest of which is read and dropped.
        case discarding(Discarding)
        /// The last response is written, and the sending side is closed or about to be; arriving bytes are dropped.
        /// Source: RFC 9112 section 9.6.
        case lingering(Lingering)
        case closed
    }

    /// What decides whether the connection outlives the request.
    struct Request {
        /// Whether the request's head demands that the response be the connection's last.
        let isLast: Bool
        let expectsContinue: Bool
        var body: Body = .unread(isAwaited: true)
    }

    enum Body {
        /// None of it has been read. `isAwaited`: the handler may still ask for it.
        case unread(isAwaited: Bool)
        case collecting(Collection)
        case complete
    }

    /// A body that is collected for the handler.
    struct Collection {
        let limit: Int
        var bytes = 0
        /// Whether bytes are taken. False while earlier ones are on their way into a file.
        var isReady = true
        var clock: BodyClock
    }

    struct Discarding {
        /// How many more bytes may be dropped.
        var allowance: Int
        var clock: BodyClock
        let end: NIODeadline
        /// Whether the connection is closed after the body.
        let isLast: Bool

        func deadline(_ times: ServerTimes) -> NIODeadline { min(clock.deadline(times), end) }
    }

    struct Lingering {
        /// How many more bytes may be dropped.
        var allowance: Int
        /// Whether the client may still be sending a body, and so gets more time.
        let isPatient: Bool
    }
}
