import NIOCore

/// What a connection to an upstream does next. It knows no channel, delegate, pool or clock: `UpstreamConnection`
/// reports what happens and performs what is returned.
struct UpstreamMachine: ~Copyable {
    enum State {
        /// Ready for a request. `isFresh`: the connection has served none.
        case idle(isFresh: Bool)
        case busy(Exchange)
        /// The response is complete, but the read that brought its end is not finished.
        case ended(isReusable: Bool)
        case closed
    }

    /// A request and its response.
    struct Exchange {
        let isHeadRequest: Bool
        /// Whether the connection has served an earlier request, so that the upstream may have closed it since.
        let isKept: Bool
        var isSent = false
        var response: Response = .head(bytes: 0, interimBytes: 0)
    }

    enum Response {
        /// `bytes`: the bytes that have arrived. `interimBytes`: those of skipped interim responses.
        case head(bytes: Int, interimBytes: Int)
        /// `isReusable`: whether the head allows another request. `isUntilClose`: the body ends with the connection.
        case body(isReusable: Bool, isUntilClose: Bool)
    }

    enum Transport: Equatable {
        /// The TLS handshake is not complete, so that nothing can be written.
        case handshake
        case open
        /// The channel is closed. Bytes that it brought may still wait.
        case closed(inHandshake: Bool)
    }

    enum Start {
        case write, awaitHandshake
        /// The channel is already closed; `inputEnded` says how the call fails.
        case fail
    }

    enum Arrival {
        case read, drop, close
    }

    /// The result of reading the input.
    enum Step {
        /// The input is read as far as possible, or the delegate takes no more.
        case wait
        case head(UpstreamResponseHead)
        case body(ByteBuffer)
        case end
        case fail(String)
    }

    /// What follows the end of a read.
    enum ReadEnd {
        case none
        /// The delegate learns that the read which brought a head or body bytes is complete.
        case notify
        /// The connection is free for the next request.
        case release
        case close
    }

    /// What the channel's close means for the call.
    enum InputEnd {
        /// There is no call, or bytes still wait for its delegate.
        case none
        /// The close ends the response.
        case end
        case handshakeFailed
        case fail(UpstreamFailure)
    }

    /// The limit of all interim responses together; they are skipped.
    static let maxInterimBytes = 16 * 1024

    private(set) var state: State = .idle(isFresh: true)
    private(set) var transport: Transport
    // The readers of the response; `state` says which one reads.
    private var parser = ResponseParser()
    private var body = BodyReader(.none)
    /// Whether the delegate has got something since the last end of a read.
    private var hasNews = false

    init(isSecure: Bool) { transport = isSecure ? .handshake : .open }

    var isOpen: Bool {
        if case .closed = state { return false }
        return !isDisconnected
    }

    var isDisconnected: Bool { if case .closed = transport { true } else { false } }

    /// Whether the head of the running call's response has not arrived.
    var awaitsHead: Bool {
        if case .busy(let exchange) = state, case .head = exchange.response { true } else { false }
    }

    /// Whether the request is still being written, and the response has not begun.
    var isOnlyWriting: Bool {
        if case .busy(let exchange) = state, case .head = exchange.response { !exchange.isSent } else { false }
    }

    var isInBody: Bool {
        if case .busy(let exchange) = state, case .body = exchange.response { true } else { false }
    }
}

extension UpstreamMachine {
    /// A call begins.
    mutating func start(isHeadRequest: Bool) -> Start {
        let isKept = if case .idle(isFresh: false) = state { true } else { false }
        state = .busy(Exchange(isHeadRequest: isHeadRequest, isKept: isKept))
        parser = ResponseParser()
        return switch transport {
        case .handshake: .awaitHandshake
        case .open: .write
        case .closed: .fail
        }
    }

    var isHandshaking: Bool { transport == .handshake }

    /// Returns whether the request is to be written now.
    mutating func handshakeCompleted() -> Bool {
        guard transport == .handshake else { return false }
        transport = .open
        return if case .busy = state { true } else { false }
    }

    /// The request is written.
    mutating func sent() {
        guard case .busy(var exchange) = state else { return }
        exchange.isSent = true
        state = .busy(exchange)
    }

    mutating func received(_ count: Int) -> Arrival {
        switch state {
        case .closed:
            return .drop
        case .idle:
            // These bytes belong to no request; the next response must not begin with them.
            return .close
        case .ended:
            state = .ended(isReusable: false)
            return .drop
        case .busy(var exchange):
            if case .head(let bytes, let interimBytes) = exchange.response {
                exchange.response = .head(bytes: bytes &+ count, interimBytes: interimBytes)
                state = .busy(exchange)
            }
            return .read
        }
    }

    /// Reads the input up to the next thing to do. Called until it returns `wait`.
    ///
    /// - Parameter isReady: whether the delegate can take body bytes.
    mutating func step(_ input: inout ByteBuffer, isReady: @autoclosure () -> Bool) -> Step {
        guard case .busy(let exchange) = state else { return .wait }
        do throws(WireFault) {
            switch exchange.response {
            case .head: return try readHead(exchange, &input)
            case .body(let isReusable, _):
                guard input.readableBytes == 0 || isReady() else { return .wait }
                switch try body.next(&input) {
                case .bytes(let bytes):
                    hasNews = true
                    return .body(bytes)
                case .more:
                    return .wait
                case .end:
                    state = .ended(isReusable: isReusable && exchange.isSent && input.readableBytes == 0)
                    hasNews = false
                    return .end
                }
            }
        } catch {
            return .fail(error.reason)
        }
    }

    private mutating func readHead(_ exchange: Exchange, _ input: inout ByteBuffer) throws(WireFault) -> Step {
        var exchange = exchange
        while input.readableBytes > 0, let response = try parser.next(&input, isHeadRequest: exchange.isHeadRequest) {
            if response.status < 200 {
                try skip(response, &exchange)
                continue
            }
            body = BodyReader(response.body)
            exchange.response = .body(isReusable: response.isKeepAlive, isUntilClose: response.body == .untilClose)
            state = .busy(exchange)
            hasNews = true
            return .head(UpstreamResponseHead(status: response.status, fields: response.fields))
        }
        return .wait
    }

    private mutating func skip(_ response: ParsedResponse, _ exchange: inout Exchange) throws(WireFault) {
        guard response.status != 101 else { throw WireFault("status 101 without a request to switch protocols") }
        guard case .head(let bytes, var interimBytes) = exchange.response else { return }
        interimBytes &+= response.headBytes
        guard interimBytes <= Self.maxInterimBytes else { throw WireFault("more than \(Self.maxInterimBytes) bytes of interim responses") }
        exchange.response = .head(bytes: bytes, interimBytes: interimBytes)
        state = .busy(exchange)
        parser = ResponseParser()
    }

    /// A read has ended, or the delivery after a pause.
    mutating func readEnded() -> ReadEnd {
        switch state {
        case .ended(isReusable: true) where transport == .open:
            state = .idle(isFresh: false)
            return .release
        case .ended:
            return .close
        case .busy where hasNews:
            hasNews = false
            return .notify
        case .busy, .idle, .closed:
            return .none
        }
    }

    /// The channel is closed. Returns whether the request may be sent again on another connection: the upstream has
    /// closed a kept one before the first byte of the response.
    mutating func disconnected() -> Bool {
        let wasOpen = transport == .open
        transport = .closed(inHandshake: !wasOpen)
        guard wasOpen, case .busy(let exchange) = state, case .head(bytes: 0, _) = exchange.response else { return false }
        return exchange.isKept
    }

    /// What the channel's close means. If bytes still wait for the delegate, this is asked again after they are
    /// delivered.
    ///
    /// - Parameters:
    ///   - waiting: the received bytes that wait for the delegate.
    ///   - isClean: whether the channel was closed without an error.
    mutating func inputEnded(waiting: Int, isClean: Bool) -> InputEnd {
        guard case .busy(let exchange) = state else { return .none }
        switch exchange.response {
        case .body where waiting > 0:
            return .none
        case .body(_, isUntilClose: true) where isClean:
            state = .closed
            return .end
        case .head where transport == .closed(inHandshake: true):
            return .handshakeFailed
        case .head(bytes: 0, _):
            return .fail(.reset)
        case .head, .body:
            return .fail(.truncated)
        }
    }

    mutating func close() { state = .closed }
}
