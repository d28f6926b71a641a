import NIOCore

extension ServerConnection {
    /// Processes `input` as far as possible. If a handler responds from inside this method, this loop reads the next
    /// request, not a nested call.
    func process() {
        guard !isProcessing else { return }
        isProcessing = true
        defer {
            isProcessing = false
            if output.needsFlush, !isReading { flushNow() }
        }
        var hasProgress = true
        while hasProgress {
            do throws(WireFault) {
                switch phase {
                // The next request waits until the client has taken the previous responses.
                case .head: hasProgress = isWritable ? try readHead() : false
                case .body: hasProgress = try readBody()
                case .discarding: hasProgress = try discardBody()
                case .responding, .lingering, .closed: hasProgress = false
                }
            } catch {
                if phase == .discarding { linger() } else { refuse(error) }
                hasProgress = phase == .discarding
            }
        }
        if input.readableBytes == 0 { input = loop.noBytes }
        if isReadPaused, !mustPauseRead { resumeReading() }
    }

    private func readHead() throws(WireFault) -> Bool {
        guard input.readableBytes > 0, let request = try parser.next(&input, limits: limits.head) else { return false }
        parser = RequestParser()
        let length = request.body
        body = BodyReader(length)
        isBodyComplete = length == .none
        expectsContinue = request.expectsContinue
        offersUpgrade = request.offersUpgrade
        let now = readAt
        let exchange = ServerExchange(
            head: request.head, connection: self, eventLoop: loop.eventLoop, remoteHost: remoteHost, acceptedAt: now)
        self.exchange = exchange
        loop.exchangeCount.add(1, ordering: .relaxed)
        output.start(isHeadRequest: exchange.head.method == .head, isHTTP10: exchange.head.isHTTP10)
        stallClock = StallClock(now: now)
        phase = .responding

        let plan = handler.accept(exchange)
        guard self.exchange === exchange else { return true }
        switch plan {
        case .collect(let maxBytes):
            try collect(exchange, maxBytes: maxBytes, now: now)
            return true
        case .wait:
            isBodyAwaited = true
            timer.set(now.advanced(by: times.stallCheck))
            return false
        case .responded:
            timer.set(now.advanced(by: times.stallCheck))
            return false
        }
    }

    func collectBody(_ exchange: ServerExchange, maxBytes: Int) {
        guard self.exchange === exchange, isBodyAwaited else { return }
        isBodyAwaited = false
        readAt = .now()
        do throws(WireFault) {
            try collect(exchange, maxBytes: maxBytes, now: readAt)
        } catch {
            return refuse(error)
        }
        process()
    }

    private func collect(_ exchange: ServerExchange, maxBytes: Int, now: NIODeadline) throws(WireFault) {
        bodyLimit = min(max(maxBytes, 0), limits.maxBodyBytes)
        phase = .body
        guard !isBodyComplete else { return }
        if let size = body.knownRemaining {
            guard size <= bodyLimit else { throw Self.tooLarge(bodyLimit) }
            guard bodyShare.cover(size) else { throw Self.buffersFull }
            if size > input.readableBytes { exchange.body.reserveCapacity(min(size, 256 * 1024)) }
        }
        if expectsContinue, input.readableBytes == 0 {
            output.writeContinue()
            handOver()
            flush()
        }
        bodyClock = BodyClock(now: now)
        timer.set(bodyClock.deadline(times))
    }

    private func readBody() throws(WireFault) -> Bool {
        guard let exchange else { return false }
        switch try body.next(&input, limit: .max) {
        case .bytes(var bytes):
            guard bytes.readableBytes <= bodyLimit - exchange.body.readableBytes else { throw Self.tooLarge(bodyLimit) }
            if exchange.body.readableBytes == 0, body.knownRemaining == 0 {
                exchange.body = bytes.detached()
            } else {
                exchange.body.writeBuffer(&bytes)
                if body.knownRemaining == nil {
                    guard bodyShare.cover(exchange.body.readableBytes) else { throw Self.buffersFull }
                }
            }
            return true
        case .more:
            guard body.announcedBytes <= bodyLimit - exchange.body.readableBytes else { throw Self.tooLarge(bodyLimit) }
            timer.set(bodyClock.deadline(times))
            return false
        case .end:
            isBodyComplete = true
            bodyShare.release()
            phase = .responding
            if isReadingAhead {
                isReadingAhead = false
                context?.setReadAhead(false)
            }
            timer.set(readAt.advanced(by: times.stallCheck))
            handler.handle(exchange)
            return true
        }
    }

    private func discardBody() throws(WireFault) -> Bool {
        switch try body.next(&input) {
        case .bytes(let bytes):
            discarded &+= bytes.readableBytes
            if discarded > maxDiscarded { giveUpDiscarding() }
            return true
        case .more:
            timer.set(discardDeadline)
            return false
        case .end:
            isBodyComplete = true
            if output.closesConnection { linger() } else { nextRequest() }
            return true
        }
    }

    private static let buffersFull = WireFault(
        503, "the router's buffers are full; 'server.max_buffered' limits them; retry later", code: "buffers_full")

    private static func tooLarge(_ limit: Int) -> WireFault { WireFault(413, "the request's body is larger than \(limit) bytes") }
}
