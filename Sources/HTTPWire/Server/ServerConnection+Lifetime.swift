import NIOCore

extension ServerConnection {
    /// Whether the response now begun must be the connection's last.
    func isLastResponse(_ exchange: ServerExchange) -> Bool {
        if exchange.closeAfter || !exchange.head.isKeepAlive || loop.isDraining { return true }
        if offersUpgrade { return true }
        if isBodyComplete { return false }
        // The body is unread: small ones are read and dropped, but not where the client may never send it.
        guard !expectsContinue, let rest = body.knownRemaining else { return true }
        return rest > Self.maxWaitingBytes
    }

    /// The exchange is answered: goes on as its head has promised.
    func finishExchange() {
        forgetExchange()
        hasServed = true
        if output.closesConnection {
            linger()
        } else if !isBodyComplete {
            discarded = 0
            bodyClock = BodyClock(now: loop.eventLoop.now)
            phase = .discarding
            process()
        } else {
            nextRequest()
            process()
        }
    }

    func nextRequest() {
        limits = loop.limits
        times = loop.times
        phase = .head
        if loop.isDraining, input.readableBytes == 0 {
            linger()
        } else {
            readAt = .now()
            // The response is given, but the client may not have taken it.
            timer.set(readAt.advanced(by: input.readableBytes > 0 ? times.head : min(times.stallCheck, times.keepAliveIdle)))
        }
    }

    /// Half-closes once everything is written, then waits for the client to close.
    func linger() {
        phase = .lingering
        discarded = 0
        input = loop.noBytes
        let now = loop.eventLoop.now
        stallClock = StallClock(now: now)
        timer.set(now.advanced(by: times.stallCheck))
        if output.needsFlush || isFlushQueued { flushNow() }
        context?.close(mode: .output, promise: nil)
        if isReadHeld { readAgain() }
    }

    func readAgain() {
        isReadHeld = false
        context?.setReading(true)
    }

    func closeIfIdle() {
        if phase == .head, hasServed, input.readableBytes == 0 { linger() }
    }

    private func forgetExchange() {
        guard let exchange else { return }
        exchange.connection = nil
        exchange.observer = nil
        self.exchange = nil
        loop.exchangeCount.subtract(1, ordering: .relaxed)
    }

    /// The client has gone before its response was complete.
    func leave() {
        let observer = exchange?.observer
        forgetExchange()
        observer?.clientLeft()
    }

    func closeNow() {
        forgetExchange()
        phase = .closed
        context?.close(promise: nil)
    }

    func refuse(_ fault: WireFault) {
        let head = exchange?.head
        let (response, body) = handler.refuse(
            status: fault.status, reason: fault.reason, head: head, exchange: exchange, remoteHost: remoteHost, eventLoop: loop.eventLoop)
        forgetExchange()
        output.start(isHeadRequest: head?.method == .head, isHTTP10: head?.isHTTP10 ?? false)
        output.closesConnection = true
        writeBuffered(response, body)
        linger()
    }

    func deadlineReached(_ now: NIODeadline) {
        switch phase {
        case .closed:
            break
        case .head:
            // A connection that never began its request is closed without a word.
            if parser.hasBegun {
                refuse(WireFault(408, "the request's head did not arrive in time"))
            } else if socket.isWaiting() {
                readAt = now  // not idle yet
                checkStall(now)
            } else if readAt.advanced(by: times.keepAliveIdle) > now, hasServed {
                timer.set(readAt.advanced(by: times.keepAliveIdle))
            } else {
                linger()
            }
        case .body, .discarding:
            let deadline = bodyClock.deadline(times)
            if deadline > now {
                timer.set(deadline)
            } else if phase == .body {
                refuse(WireFault(408, "the request's body did not arrive in time"))
            } else {
                linger()
            }
        case .answering, .lingering:
            checkStall(now)
        }
    }

    private func checkStall(_ now: NIODeadline) {
        guard let context, let waiting = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes) else { return }
        // The kernel takes more only when much of its buffer is free: who reads little by little is told by what is acknowledged.
        stallClock.check(taken: output.handedOver &- waiting &- socket.unacknowledgedBytes(), waiting: waiting, now: now)
        let isOver = phase == .lingering && waiting == 0
        if isOver || stallClock.lastProgress.advanced(by: times.writeStall) <= now {
            if !isOver { exchange?.hasStalled = true }
            context.close(promise: nil)
        } else {
            timer.set(now.advanced(by: times.stallCheck))
        }
    }

    /// Flushes now, or at the end of the read that is under way.
    func flush() {
        if isReading || isProcessing { output.needsFlush = true } else { flushNow() }
    }

    /// Flushes at the end of the tick, together with other connections' answers. The last one doesn't wait: the process may end right after it.
    func flushSoon() {
        guard !isReading, !isProcessing, !output.closesConnection else { return flush() }
        guard !isFlushQueued else { return }
        isFlushQueued = true
        loop.flushes.add(self)
    }

    func flushNow() {
        output.needsFlush = false
        isFlushQueued = false
        socket.flush()
    }
}

extension ServerConnection: Flushing {
    func flushAtTickEnd() {
        if isFlushQueued { flushNow() }
    }
}
