import NIOCore

/// What a client's connection does next. It knows no channel, handler or clock: `ServerConnection` reports what happens
/// and performs what is returned. After each report, `deadline` says when to call `deadlineReached`.
struct ServerMachine: ~Copyable {
    /// A limit for three things: the pipelined bytes kept while a response is outstanding, the unread body bytes that
    /// are dropped to keep the connection, and the bytes dropped while lingering after a complete request. After a
    /// refusal four times the largest body is dropped instead.
    static let maxWaitingBytes = 64 * 1024
    static let lingerTime = TimeAmount.seconds(1)

    private(set) var state: State = .head(isFirst: true, idleSince: .uptimeNanoseconds(0))
    /// Whether the client takes bytes. The next request waits until it has taken the previous responses.
    var isWritable = true
    private(set) var deadline: NIODeadline?
    private(set) var settings: ConnectionSettings
    // The readers of the request; `state` says which one reads.
    private var parser = RequestParser()
    private var body = BodyReader(.none)
    private var stall = StallClock(now: .uptimeNanoseconds(0))
    private var times: ServerTimes { settings.times }

    init(_ settings: ConnectionSettings) { self.settings = settings }

    var isCollecting: Bool {
        if case .serving(let request) = state, case .collecting = request.body { true } else { false }
    }

    /// Whether the request's body is arriving or waits to be read.
    var isRequestIncomplete: Bool {
        guard case .serving(let request) = state else { return false }
        return switch request.body {
        case .collecting, .unread(isAwaited: true): true
        case .complete, .unread: false
        }
    }

    /// Whether reading must pause, because too many bytes wait that can't be processed yet.
    func mustPauseRead(waiting: Int) -> Bool {
        guard waiting > Self.maxWaitingBytes else { return false }
        switch state {
        case .head: return !isWritable
        case .serving(let request):
            if case .collecting(let collection) = request.body { return !collection.isReady }
            return true
        case .discarding, .lingering, .closed: return false
        }
    }
}

extension ServerMachine {
    mutating func connected(now: NIODeadline) { deadline = now.advanced(by: times.head) }

    /// - Parameter waiting: the bytes that have arrived earlier and are not processed yet.
    mutating func received(_ count: Int, waiting: Int, now: NIODeadline) -> Arrival {
        switch state {
        case .closed:
            return .drop
        case .head:
            if waiting == 0, !parser.hasBegun { deadline = now.advanced(by: times.head) }
        case .serving(var request):
            guard case .collecting(var collection) = request.body else { break }
            collection.clock.read(count, now: now)
            request.body = .collecting(collection)
            state = .serving(request)
        case .discarding(var discarding):
            discarding.clock.read(count, now: now)
            state = .discarding(discarding)
        case .lingering(var lingering):
            lingering.allowance &-= count
            state = .lingering(lingering)
            return lingering.allowance < 0 ? .close : .drop
        }
        return .read
    }

    /// Reads the input up to the next thing to do. Called until it returns `wait`.
    mutating func step(_ input: inout ByteBuffer, now: NIODeadline) -> Step {
        do throws(WireFault) {
            switch state {
            case .head: return try readHead(&input, now: now)
            case .serving(let request): return try readBody(request, &input, now: now)
            case .discarding(let discarding): return try discard(discarding, &input, now: now)
            case .lingering, .closed: return .wait
            }
        } catch {
            guard case .discarding = state else { return .refuse(error) }
            linger(isPatient: true, now: now)
            return .linger
        }
    }

    private mutating func readHead(_ input: inout ByteBuffer, now: NIODeadline) throws(WireFault) -> Step {
        guard isWritable, input.readableBytes > 0, let request = try parser.next(&input, limits: settings.limits.head) else { return .wait }
        parser = RequestParser()
        stall = StallClock(now: now)
        body = BodyReader(request.body)
        state = .serving(
            Request(isLast: !request.head.isKeepAlive || request.offersUpgrade, expectsContinue: request.expectsContinue))
        return .accept(request)
    }

    private mutating func readBody(_ request: Request, _ input: inout ByteBuffer, now: NIODeadline) throws(WireFault) -> Step {
        guard case .collecting(var collection) = request.body, collection.isReady else { return .wait }
        var request = request
        let room = collection.limit &- collection.bytes
        switch try body.next(&input, limit: .max) {
        case .bytes(let bytes):
            collection.bytes &+= bytes.readableBytes
            request.body = .collecting(collection)
            state = .serving(request)
            guard bytes.readableBytes <= room else { throw Self.tooLarge(collection.limit) }
            return .append(bytes, rest: body.knownRemaining)
        case .more:
            guard body.announcedBytes <= room else { throw Self.tooLarge(collection.limit) }
            deadline = collection.clock.deadline(times)
            return .wait
        case .end:
            request.body = .complete
            state = .serving(request)
            deadline = now.advanced(by: times.stallCheck)
            return .handle
        }
    }

    private mutating func discard(_ discarding: Discarding, _ input: inout ByteBuffer, now: NIODeadline) throws(WireFault) -> Step {
        var discarding = discarding
        while true {
            switch try body.next(&input) {
            case .bytes(let bytes):
                discarding.allowance &-= bytes.readableBytes
                guard discarding.allowance < 0 else { continue }
                linger(isPatient: false, now: now)
                return .linger
            case .more:
                state = .discarding(discarding)
                deadline = discarding.deadline(times)
                return .wait
            case .end:
                guard discarding.isLast else { return .next }
                linger(isPatient: false, now: now)
                return .linger
            }
        }
    }

    private static func tooLarge(_ limit: Int) -> WireFault { WireFault(413, "the request's body is larger than \(limit) bytes") }
}

extension ServerMachine {
    /// The handler has seen the head and leaves the body unread, for now or for good.
    mutating func leftUnread(isAwaited: Bool, now: NIODeadline) {
        guard case .serving(var request) = state, case .unread = request.body else { return }
        request.body = .unread(isAwaited: isAwaited)
        state = .serving(request)
        deadline = now.advanced(by: times.stallCheck)
    }

    /// The handler wants the body. Returns its size (nil if it is unknown) and whether the client waits for
    /// `100 Continue`. Returns nil if the body is not to be read.
    mutating func collect(_ limit: BodyLimit, waiting: Int, now: NIODeadline) throws(WireFault) -> (size: Int?, sendsContinue: Bool)? {
        guard case .serving(var request) = state, case .unread(isAwaited: true) = request.body else { return nil }
        let maxBytes = min(max(limit.maxBytes, 0), limit.isUpload ? settings.limits.maxUploadBytes : settings.limits.maxBodyBytes)
        let clock = BodyClock(now: now, isUpload: limit.isUpload)
        request.body = .collecting(Collection(limit: maxBytes, clock: clock))
        state = .serving(request)
        let size = body.knownRemaining
        if size == 0 { return (size, false) }
        if let size, size > maxBytes { throw Self.tooLarge(maxBytes) }
        deadline = clock.deadline(times)
        return (size, request.expectsContinue && waiting == 0)
    }

    /// Stops taking the body's bytes, or takes them again. The time between doesn't count as the client's.
    mutating func setReady(_ isReady: Bool, now: NIODeadline) {
        guard case .serving(var request) = state, case .collecting(var collection) = request.body, collection.isReady != isReady
        else { return }
        collection.isReady = isReady
        collection.clock.read(0, now: now)
        request.body = .collecting(collection)
        state = .serving(request)
    }

    /// Whether a response that begins now must be the connection's last.
    func isLastResponse(isDraining: Bool) -> Bool {
        guard case .serving(let request) = state, !request.isLast, !isDraining else { return true }
        let rest = rest(of: request)
        if rest == 0 { return false }
        // A small unread body is read and dropped, unless the client waits for `100 Continue` and may never send it.
        guard !request.expectsContinue, let rest else { return true }
        return rest > Self.maxWaitingBytes
    }

    /// The bytes of the request's body that have not been read; nil if their number is unknown.
    private func rest(of request: Request) -> Int? {
        if case .complete = request.body { 0 } else { body.knownRemaining }
    }

    /// The response is complete. The rest of the body is read and dropped before the connection is closed or used
    /// again, because a client that is still sending may not read the response if its connection is closed meanwhile.
    /// Clients like that exist up to any size: Node's `fetch`, Python's httpx.
    ///
    /// - Parameter isLast: whether the response's head has announced that the connection is closed.
    mutating func responded(isLast: Bool, waiting: Int, now: NIODeadline) -> Ending {
        guard case .serving(let request) = state else { return .linger }
        if rest(of: request) == 0 {
            guard isLast else { return .next }
            linger(isPatient: false, now: now)
            return .linger
        }
        // A client that waits for `100 Continue` has not begun to send.
        if request.expectsContinue, waiting == 0 {
            linger(isPatient: true, now: now)
            return .linger
        }
        let discarding = Discarding(
            allowance: isLast ? maxRefusedBytes : Self.maxWaitingBytes, clock: BodyClock(now: now),
            end: now.advanced(by: times.discard), isLast: isLast)
        state = .discarding(discarding)
        deadline = discarding.deadline(times)
        return .discard
    }

    /// The request is refused, by the last response.
    mutating func refused(_ fault: WireFault, waiting: Int, now: NIODeadline) -> Ending {
        // A slow client gets no more time. Otherwise more may follow, and after bytes that can't be parsed its end is
        // unknown.
        if fault.status != 408, fault.status != 400, case .serving = state {
            return responded(isLast: true, waiting: waiting, now: now)
        }
        linger(isPatient: fault.status != 408, now: now)
        return .linger
    }

    /// The connection is free for the next request. Returns false if it lingers instead, because the server drains.
    mutating func nextRequest(_ settings: ConnectionSettings, isDraining: Bool, waiting: Int, now: NIODeadline) -> Bool {
        self.settings = settings
        guard !isDraining || waiting > 0 else {
            linger(isPatient: false, now: now)
            return false
        }
        state = .head(isFirst: false, idleSince: now)
        // The client may not have taken the response yet, so its progress is checked before the idle time ends.
        deadline = now.advanced(by: waiting > 0 ? times.head : min(times.stallCheck, times.keepAliveIdle))
        return true
    }

    private mutating func linger(isPatient: Bool, now: NIODeadline) {
        state = .lingering(Lingering(allowance: isPatient ? maxRefusedBytes : Self.maxWaitingBytes, isPatient: isPatient))
        stall = StallClock(now: now)
        deadline = now.advanced(by: times.stallCheck)
    }

    private var maxRefusedBytes: Int {
        let (bytes, isTooLarge) = settings.limits.maxBodyBytes.multipliedReportingOverflow(by: 4)
        return isTooLarge ? .max : bytes
    }
}

extension ServerMachine {
    /// The server drains. Returns whether the connection lingers now, because it is idle.
    mutating func drain(waiting: Int, now: NIODeadline) -> Bool {
        guard case .head(isFirst: false, _) = state, waiting == 0 else { return false }
        linger(isPatient: false, now: now)
        return true
    }

    /// The sending side is closed.
    mutating func outputClosed(now: NIODeadline) {
        guard case .lingering(let lingering) = state else { return }
        deadline = now.advanced(by: lingering.isPatient ? times.discard : Self.lingerTime)
    }

    mutating func closed() {
        state = .closed
        deadline = nil
    }

    mutating func deadlineReached(_ now: NIODeadline) -> Expiry {
        switch state {
        case .closed:
            return .none
        case .head:
            return parser.hasBegun ? .refuse(WireFault(408, "the request's head did not arrive in time")) : .checkProgress
        case .serving(let request):
            guard case .collecting(let collection) = request.body else { return .checkProgress }
            let end = collection.isReady ? collection.clock.deadline(times) : now.advanced(by: times.stallCheck)
            if end <= now { return .refuse(WireFault(408, "the request's body did not arrive in time")) }
            deadline = end
        case .discarding(let discarding):
            let end = discarding.deadline(times)
            guard end > now else {
                linger(isPatient: false, now: now)
                return .linger
            }
            deadline = end
        case .lingering:
            return .checkProgress
        }
        return .none
    }

    /// - Parameters:
    ///   - taken: the bytes that the client has acknowledged so far.
    ///   - waiting: the bytes that the socket doesn't accept yet.
    mutating func progressed(taken: Int, waiting: Int, now: NIODeadline) -> Verdict {
        stall.check(taken: taken, waiting: waiting, now: now)
        switch state {
        case .head(let isFirst, let idleSince) where waiting == 0:
            // A connection that has not begun a request is closed without a response.
            let end = idleSince.advanced(by: times.keepAliveIdle)
            guard !isFirst, end > now else {
                linger(isPatient: false, now: now)
                return .linger
            }
            deadline = end
            return .wait
        case .head(let isFirst, _):
            state = .head(isFirst: isFirst, idleSince: now)
        case .lingering where waiting == 0:
            return .close
        case .serving, .discarding, .lingering, .closed:
            break
        }
        if stall.lastProgress.advanced(by: times.writeStall) <= now { return .cutOff }
        deadline = now.advanced(by: times.stallCheck)
        return .wait
    }
}
