import NIOCore

extension ServerConnection {
    /// Closes the connection, reads the next request or drops the rest of the body.
    func follow(_ ending: ServerMachine.Ending) {
        switch ending {
        case .next:
            if !machine.nextRequest(loop.settings, isDraining: loop.isDraining, waiting: input.readableBytes, now: readAt) { linger() }
        case .discard: break
        case .linger: linger()
        }
    }

    /// Closes the sending side after everything is written. The machine waits for the client to close.
    private func linger() {
        input = loop.noBytes
        timer.set(machine.deadline)
        if pendingFlush != .none { flushNow() }
        context?.close(mode: .output, promise: nil)
        if reading.mode == .paused { reading.set(.usual, context) }
    }

    func closeIfIdle() {
        if machine.drain(waiting: input.readableBytes, now: loop.eventLoop.now) { linger() }
    }

    func detachExchange() {
        guard let exchange else { return }
        if !bodyShare.isEmpty { bodyShare.release() }
        upload?.abandon()
        upload = nil
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
        machine.closed()
        context?.close(promise: nil)
    }

    func refuse(_ fault: WireFault) {
        let head = exchange?.head
        let (response, body) = handler.refuse(
            fault, head: head, exchange: exchange, remoteHost: remoteHost, eventLoop: loop.eventLoop)
        detachExchange()
        output.start(isHeadRequest: head?.isHeadRequest ?? false, isHTTP10: head?.isHTTP10 ?? false)
        output.closesConnection = true
        writeBuffered(response, body)
        follow(machine.refused(fault, waiting: input.readableBytes, now: loop.eventLoop.now))
        process()
    }

    /// Refuses the connection before its first request. Behind TLS, a client could not read a response.
    func refuseConnection(_ fault: WireFault) {
        guard encrypted != nil else { return refuse(fault) }
        // It is only logged.
        _ = handler.refuse(fault, head: nil, exchange: nil, remoteHost: remoteHost, eventLoop: loop.eventLoop)
        closeNow()
    }

    /// Refuses the request whose body is arriving or waits to be read; does nothing if there is none.
    func refuseIncompleteRequest(_ fault: WireFault) {
        if machine.isRequestIncomplete { refuse(fault) }
    }

    func deadlineReached(_ now: NIODeadline) {
        switch machine.deadlineReached(now) {
        case .none: timer.set(machine.deadline)
        case .refuse(let fault): refuse(fault)
        case .linger: linger()
        case .checkProgress: checkProgress(now)
        }
    }

    private func checkProgress(_ now: NIODeadline) {
        guard let context, let waiting = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes) else { return }
        outputShare.hold(min(waiting, outputShare.bytes))
        // The kernel accepts more bytes only once a large part of its buffer is free. The acknowledged bytes show the
        // progress of a client that reads slowly.
        let taken = (encrypted?.count ?? output.handedOverBytes) &- waiting &- socket.unacknowledgedBytes()
        switch machine.progressed(taken: taken, waiting: waiting, now: now) {
        case .wait:
            timer.set(machine.deadline)
        case .linger:
            linger()
        case .close:
            context.close(promise: nil)
        case .cutOff:
            exchange?.hasStalled = true
            context.close(promise: nil)
        }
    }

    /// Flushes now, or at the end of the current processing.
    func flush() {
        if isProcessing { pendingFlush = .afterProcessing } else { flushNow() }
    }

    /// Flushes at the end of the tick, together with other connections' responses. A response that closes its
    /// connection is flushed earlier, because the process may exit right after it.
    func flushSoon() {
        guard !isProcessing, !output.closesConnection else { return flush() }
        guard pendingFlush == .none else { return }
        pendingFlush = .atTickEnd
        loop.flushes.add(self)
    }

    func flushNow() {
        pendingFlush = .none
        socket.flush()
        if !outputShare.isEmpty, !socket.hasChannelBytes() { outputShare.release() }
    }
}

extension ServerConnection: Flushing {
    func flushAtTickEnd() {
        if pendingFlush == .atTickEnd { flushNow() }
    }
}
