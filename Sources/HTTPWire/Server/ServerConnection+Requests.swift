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
    private func perform(_ step: consuming ServerMachine.Step) -> Bool {
        switch consume step {
        case .wait: return false
        case .accept(let request): accept(request.head)
        case .append(let bytes, let rest): append(bytes, rest: rest)
        case .handle: handle()
        case .refuse(let fault): refuse(fault)
        case .next: follow(.next)
        case .linger: follow(.linger)
        }
        return true
    }

    private func accept(_ head: RequestHead) {
        let client = machine.settings.trustedProxies.map { $0.client(head.fields, peer: remoteHost) } ?? remoteHost
        let exchange = ServerExchange(
            head: head, connection: self, eventLoop: loop.eventLoop, remoteHost: client, acceptedAt: readAt)
        self.exchange = exchange
        loop.exchangeCount.add(1, ordering: .relaxed)
        output.start(isHeadRequest: head.isHeadRequest, isHTTP10: head.isHTTP10)
        let plan = handler.accept(exchange)
        guard self.exchange === exchange else { return }
        switch plan {
        case .collect(let limit): collect(exchange, limit)
        case .wait: machine.leftUnread(isAwaited: true, now: readAt)
        case .responded: machine.leftUnread(isAwaited: false, now: readAt)
        }
    }

    func collectBody(_ exchange: ServerExchange, _ limit: BodyLimit) {
        readAt = .now()
        collect(exchange, limit)
        process()
    }

    private func collect(_ exchange: ServerExchange, _ limit: BodyLimit) {
        do throws(WireFault) {
            guard let plan = try machine.collect(limit, waiting: input.readableBytes, now: readAt) else { return }
            exchange.isUpload = limit.isUpload
            if let size = plan.size, limit.isUpload, size > BodyLimit.uploadMemoryBytes {
                try spool(exchange, reserving: size)
            } else if let size = plan.size {
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

    private func append(_ part: consuming ByteBuffer, rest: Int?) {
        guard let exchange else { return }
        if exchange.isUpload {
            exchange.observer?.uploadArrived(part)
            guard self.exchange === exchange else { return }
            if upload != nil || exchange.body.readableBytes + part.readableBytes > BodyLimit.uploadMemoryBytes {
                return appendToFile(exchange, part)
            }
        }
        if exchange.body.readableBytes == 0, rest == 0 {
            exchange.body = part.detached()
            return
        }
        exchange.body.writeBuffer(&part)
        if rest == nil, !bodyShare.cover(exchange.body.readableBytes) { refuse(Self.buffersFull) }
    }

    /// Moves what has arrived of an upload into a file, in which the rest follows.
    private func spool(_ exchange: ServerExchange, reserving size: Int) throws(WireFault) {
        guard bodyShare.cover(SpoolWriter.maxWaitingBytes) else { throw Self.buffersFull }
        let upload = SpoolWriter(loop.spool, eventLoop: loop.eventLoop) { [unowned self] in wasWritten(exchange, $0) }
        self.upload = upload
        let begun = exchange.body
        exchange.body = loop.noBytes
        guard upload.reserve(size), upload.append(begun) else { throw Self.spoolFull(nil) }
    }

    private func appendToFile(_ exchange: ServerExchange, _ part: ByteBuffer) {
        do throws(WireFault) {
            if upload == nil { try spool(exchange, reserving: exchange.body.readableBytes) }
            guard let upload else { return }
            guard upload.append(part) else { throw Self.spoolFull(nil) }
            if upload.isBehind { machine.setReady(false, now: readAt) }
        } catch {
            refuse(error)
        }
    }

    /// Bytes of an upload are in its file, or can't be written.
    private func wasWritten(_ exchange: ServerExchange, _ error: IOError?) {
        guard self.exchange === exchange, let upload else { return }
        readAt = .now()
        if let error { return refuse(Self.spoolFull(error)) }
        if !upload.isBehind { machine.setReady(true, now: readAt) }
        if upload.isComplete, upload.isIdle { handle() }
        process()
    }

    private func handle() {
        guard let exchange else { return }
        if let upload {
            upload.isComplete = true
            guard upload.isIdle else { return }
            exchange.spooledBody = upload.body
            self.upload = nil
        }
        bodyShare.release()
        if reading.mode == .ahead { reading.set(.usual, context) }
        handler.handle(exchange)
    }

    /// - Parameter error: why bytes can't be written; nil if the limit is reached.
    private static func spoolFull(_ error: IOError?) -> WireFault {
        let reason = error.map { "can't be written: \($0.words)" } ?? "is full; 'server.max_spooled' limits it"
        return WireFault(503, "the router's folder for uploads \(reason); retry later", code: "spool_full")
    }

    private static let buffersFull = WireFault(
        503, "the router's buffers are full; 'server.max_buffered' limits them; retry later", code: "buffers_full")
}
