import NIOCore
import NIOSSL

extension UpstreamConnection {
    func start(_ call: UpstreamCall) {
        self.call = call
        call.connection = self
        phase = .head
        parser = ResponseParser()
        responseBytes = 0
        interimBytes = 0
        isReusable = false
        if hasEnded {
            isCounted = false
            eventLoop.execute { [self] in
                endOfInput()
                pool?.closed(self)
            }
        } else if isReady {
            beginWriting(call)
        } else if let deadline = call.deadlines.earliestTime {
            timer.setEarlier(deadline)
        }
    }

    /// Closes immediately. Bypasses the TLS handler, which would wait for the peer's close_notify.
    func close() {
        phase = .closed
        input = noBytes
        writer.clear()
        guard let context else { return }
        if isSecure, let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self) {
            tls.close(promise: nil)
        } else {
            context.close(promise: nil)
        }
    }

    /// Closes the connection because its call was cancelled.
    func cancel(_ call: UpstreamCall) {
        guard self.call === call else { return }
        self.call = nil
        close()
    }

    func resume(_ call: UpstreamCall) {
        guard self.call === call, !isDelivering else { return }
        let wasPaused = isReadPaused
        if wasPaused { call.restartIdle() }
        deliver()
        finishRead()
        if hasEnded { endOfInput() }
        if isReadPaused, !mustPauseRead {
            isReadPaused = false
            context?.setReading(true)
        }
    }

    var mustPauseRead: Bool {
        guard phase == .body, let call else { return false }
        return input.readableBytes > 0 || call.delegate?.isReadyForUpstreamBody == false
    }

    func beginWriting(_ call: UpstreamCall) {
        call.phase = .writing
        call.deadlines[.connect] = nil
        writer.begin(call.message)
        write(call)
    }

    func write(_ call: UpstreamCall) {
        guard !isWriting, !writer.isEmpty else { return }
        isWriting = true
        defer { isWriting = false }
        while isWritable, let bytes = writer.next() {
            if writer.isEmpty, writer.needsWritePromise {
                let written = eventLoop.makePromise(of: Void.self)
                written.futureResult.whenSuccess { [self] in
                    if self.call === call { sent(call) }
                }
                socket.write(bytes, written)
            } else {
                socket.write(bytes)
                if let pool, !writer.needsWritePromise { pool.flushes.add(self) } else { socket.flush() }
            }
            guard self.call === call else { return }
            // A request that fits into the socket's empty buffer counts as sent.
            if writer.isEmpty, !writer.needsWritePromise { return sent(call) }
        }
        guard call.phase == .writing else { return }
        call.deadlines[.write] = eventLoop.now.advanced(by: call.timeouts.write)
        rearm(call)
    }

    private func sent(_ call: UpstreamCall) {
        writer.isSent = true
        call.sent()
        if self.call === call { rearm(call) }
    }

    private func rearm(_ call: UpstreamCall) {
        if let deadline = call.deadlines.earliestTime { timer.setEarlier(deadline) }
    }

    func deadlineReached(_ now: NIODeadline) {
        guard let call else { return }
        if let idle = call.deadlines[.idle], idle <= now, mustPauseRead { call.restartIdle() }
        guard let (name, time) = call.deadlines.earliest else { return }
        if time <= now { fail(.timeout(name)) } else { timer.set(time) }
    }
}

extension UpstreamConnection: Flushing {
    func flushAtTickEnd() { socket.flush() }
}
