import NIOCore

extension ServerConnection {
    /// Whether the response that is about to begin must be the connection's last.
    func isLastResponse(_ exchange: ServerExchange) -> Bool {
        if exchange.closesConnection || !exchange.head.isKeepAlive || loop.isDraining { return true }
        if offersUpgrade { return true }
        if isBodyComplete { return false }
        // A small unread body is read and dropped, unless the client waits for `100 Continue` and may never send it.
        guard !expectsContinue, let rest = body.knownRemaining else { return true }
        return rest > Self.maxWaitingBytes
    }

    /// The response is complete: closes the connection or reads the next request, as the response's head announced.
    func finishExchange() {
        detachExchange()
        hasServed = true
        if !isBodyComplete {
            discardBody()
        } else if output.closesConnection {
            linger()
        } else {
            nextRequest()
            process()
        }
    }

    /// Reads and drops the rest of the body before the connection is closed or used again, because a client that is
    /// still sending may not read the response if its connection is closed meanwhile. Clients like that exist up to any
    /// size: Node's `fetch`, Python's httpx.
    private func discardBody() {
        // A client that waits for `100 Continue` has not begun to send.
        if expectsContinue, input.readableBytes == 0 { return linger() }
        discarded = 0
        maxDiscarded = output.closesConnection ? maxRefusedBytes : Self.maxWaitingBytes
        bodyClock = BodyClock(now: loop.eventLoop.now)
        discardEnd = loop.eventLoop.now + times.discard
        phase = .discarding
        timer.set(discardDeadline)
        process()
    }

    /// Ends the discarding before the body's end.
    func giveUpDiscarding() {
        isBodyComplete = true  // what still arrives gets no more time
        linger()
    }

    var discardDeadline: NIODeadline { min(bodyClock.deadline(times), discardEnd) }

    private var maxRefusedBytes: Int { limits.maxBodyBytes.multipliedReportingOverflow(by: 4).partialValue }

    func nextRequest() {
        if settings !== loop.settings { settings = loop.settings }
        phase = .head
        if loop.isDraining, input.readableBytes == 0 {
            linger()
        } else {
            readAt = .now()
            // The client may not have taken the response yet, so check for a stall before the idle time ends.
            timer.set(readAt.advanced(by: input.readableBytes > 0 ? times.head : min(times.stallCheck, times.keepAliveIdle)))
        }
    }

    /// Closes the sending side after everything is written, then waits for the client to close.
    func linger() {
        phase = .lingering
        discarded = 0
        maxDiscarded = isBodyComplete ? Self.maxWaitingBytes : maxRefusedBytes
        input = loop.noBytes
        let now = loop.eventLoop.now
        stallClock = StallClock(now: now)
        timer.set(now.advanced(by: times.stallCheck))
        if output.needsFlush || isFlushQueued { flushNow() }
        context?.close(mode: .output, promise: nil)
        if isReadPaused { resumeReading() }
    }

    func resumeReading() {
        isReadPaused = false
        context?.setReading(true)
    }

    func closeIfIdle() {
        if phase == .head, hasServed, input.readableBytes == 0 { linger() }
    }

    private func detachExchange() {
        guard let exchange else { return }
        if !bodyShare.isEmpty { bodyShare.release() }
        isBodyAwaited = false
        exchange.connection = nil
        exchange.observer = nil
        self.exchange = nil
        loop.exchangeCount.subtract(1, ordering: .relaxed)
    }

    /// The client has closed the connection. Notifies the observer if a response was outstanding.
    func clientLeft() {
        let observer = exchange?.observer
        detachExchange()
        observer?.clientLeft()
    }

    func closeNow() {
        detachExchange()
        phase = .closed
        context?.close(promise: nil)
    }

    func refuse(_ fault: WireFault) {
        let head = exchange?.head
        let (response, body) = handler.refuse(
            fault, head: head, exchange: exchange, remoteHost: remoteHost, eventLoop: loop.eventLoop)
        detachExchange()
        let isInHead = phase == .head
        output.start(isHeadRequest: head?.method == .head, isHTTP10: head?.isHTTP10 ?? false)
        output.closesConnection = true
        writeBuffered(response, body)
        if fault.status == 408 {
            isBodyComplete = true  // a slow client gets no more time
            linger()
        } else if isInHead || fault.status == 400 {
            isBodyComplete = false  // more may follow bytes that can't be parsed, and its end is unknown
            linger()
        } else {
            discardBody()
        }
    }

    /// Refuses the request whose body is arriving or waits to be read; does nothing if there is none.
    func refuseIncompleteRequest(_ fault: WireFault) {
        if phase == .body || isBodyAwaited { refuse(fault) }
    }

    func deadlineReached(_ now: NIODeadline) {
        switch phase {
        case .closed:
            break
        case .head:
            // A connection that has not begun a request is closed without a response.
            if parser.hasBegun {
                refuse(WireFault(408, "the request's head did not arrive in time"))
            } else if socket.hasChannelBytes() {
                readAt = now  // not idle yet
                checkStall(now)
            } else if readAt.advanced(by: times.keepAliveIdle) > now, hasServed {
                timer.set(readAt.advanced(by: times.keepAliveIdle))
            } else {
                linger()
            }
        case .body:
            let deadline = bodyClock.deadline(times)
            if deadline > now { timer.set(deadline) } else { refuse(WireFault(408, "the request's body did not arrive in time")) }
        case .discarding:
            if discardDeadline > now { timer.set(discardDeadline) } else { giveUpDiscarding() }
        case .responding, .lingering:
            checkStall(now)
        }
    }

    private func checkStall(_ now: NIODeadline) {
        guard let context, let waiting = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes) else { return }
        // The kernel accepts more bytes only once a large part of its buffer is free. The acknowledged bytes show the
        // progress of a client that reads slowly.
        stallClock.check(taken: output.handedOverBytes &- waiting &- socket.unacknowledgedBytes(), waiting: waiting, now: now)
        outputShare.hold(min(waiting, outputShare.bytes))
        let isOver = phase == .lingering && waiting == 0
        if isOver || stallClock.lastProgress.advanced(by: times.writeStall) <= now {
            if !isOver { exchange?.hasStalled = true }
            context.close(promise: nil)
        } else {
            timer.set(now.advanced(by: times.stallCheck))
        }
    }

    /// Flushes now, or at the end of the current read.
    func flush() {
        if isReading || isProcessing { output.needsFlush = true } else { flushNow() }
    }

    /// Flushes at the end of the tick, together with other connections' responses. A response that closes its
    /// connection is flushed earlier, because the process may exit right after it.
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
        if !outputShare.isEmpty, !socket.hasChannelBytes() { outputShare.release() }
    }
}

extension ServerConnection: Flushing {
    func flushAtTickEnd() {
        if isFlushQueued { flushNow() }
    }
}
