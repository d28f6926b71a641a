import NIOCore

extension ServerConnection {
    /// Processes `input` as far as possible. If a handler responds from inside this method, this loop reads the next
    /// request, not a nested call.
    func process() {
        guard !isProcessing else { return }
        isProcessing = true
        while perform(machine.step(&input, now: readAt)) {}
        isProcessing = false
        timer.set(machine.deadline)
        if pendingFlush == .afterProcessing { flushNow() }
        if input.readableBytes == 0 { input = loop.noBytes }
        if reading.mode == .paused, !machine.mustPauseRead(waiting: input.readableBytes) { reading.set(.usual, context) }
    }

    /// Returns false if the machine waits.
    private func perform(_ step: ServerMachine.Step) -> Bool {
        switch step {
        case .wait: return false
        case .accept(let request): accept(request)
        case .append(let bytes, let rest): append(bytes, rest: rest)
        case .handle: handle()
        case .refuse(let fault): refuse(fault)
        case .next: follow(.next)
        case .linger: follow(.linger)
        }
        return true
    }

    private func accept(_ request: ParsedRequest) {
        let exchange = ServerExchange(
            head: request.head, connection: self, eventLoop: loop.eventLoop, remoteHost: remoteHost, acceptedAt: readAt)
        self.exchange = exchange
        loop.exchangeCount.add(1, ordering: .relaxed)
        output.start(isHeadRequest: exchange.head.method == .head, isHTTP10: exchange.head.isHTTP10)
        let plan = handler.accept(exchange)
        guard self.exchange === exchange else { return }
        switch plan {
        case .collect(let maxBytes): collect(exchange, maxBytes: maxBytes)
        case .wait: machine.leftUnread(isAwaited: true, now: readAt)
        case .responded: machine.leftUnread(isAwaited: false, now: readAt)
        }
    }

    func collectBody(_ exchange: ServerExchange, maxBytes: Int) {
        readAt = .now()
        collect(exchange, maxBytes: maxBytes)
        process()
    }

    private func collect(_ exchange: ServerExchange, maxBytes: Int) {
        do throws(WireFault) {
            guard let plan = try machine.collect(maxBytes: maxBytes, waiting: input.readableBytes, now: readAt) else { return }
            if let size = plan.size {
                guard bodyShare.cover(size) else { throw Self.buffersFull }
                if size > input.readableBytes { exchange.body.reserveCapacity(min(size, 256 * 1024)) }
            }
            guard plan.sendsContinue else { return }
            output.writeContinue()
            handOver()
            flush()
        } catch {
            refuse(error)
        }
    }

    private func append(_ part: ByteBuffer, rest: Int?) {
        guard let exchange else { return }
        var part = part
        if exchange.body.readableBytes == 0, rest == 0 {
            exchange.body = part.detached()
            return
        }
        exchange.body.writeBuffer(&part)
        if rest == nil, !bodyShare.cover(exchange.body.readableBytes) { refuse(Self.buffersFull) }
    }

    private func handle() {
        guard let exchange else { return }
        bodyShare.release()
        if reading.mode == .ahead { reading.set(.usual, context) }
        handler.handle(exchange)
    }

    private static let buffersFull = WireFault(
        503, "the router's buffers are full; 'server.max_buffered' limits them; retry later", code: "buffers_full")
}
