import NIOCore
import NIOSSL

extension UpstreamConnection {
    func start(_ call: UpstreamCall) {
        self.call = call
        call.run(on: self)
        switch machine.start(isHeadRequest: call.message.isHeadRequest) {
        case .write: beginWriting(call)
        case .awaitHandshake: rearm(call)
        case .fail:
            eventLoop.execute { [self] in
                endOfInput()
                leavePool()
            }
        }
    }

    /// Closes immediately. Bypasses the TLS handler, which would wait for the peer's close_notify.
    func close() {
        machine.close()
        input = noBytes
        writer.clear()
        if machine.isDisconnected { return leavePool() }
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

    func beginWriting(_ call: UpstreamCall) {
        call.deadlines[.connect] = nil
        writer.begin(call)
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
        if isWritable, let part = writer.nextRead() { read(part.file, part.range, for: call) }
        guard machine.isOnlyWriting else { return }
        call.deadlines[.write] = eventLoop.now.advanced(by: call.timeouts.write)
        rearm(call)
    }

    /// Reads a part of an upload, then writes it.
    private func read(_ file: SpooledBody, _ range: Range<Int>, for call: UpstreamCall) {
        BodySpool.run(on: eventLoop) { () throws(IOError) in
            try file.read(range)
        } then: { [self] result in
            guard self.call === call else { return }
            switch result {
            case .success(let bytes):
                writer.didRead(bytes)
                write(call)
            case .failure(let error): fail(.outOfResources("the router can't read the upload from its folder: \(error.words)"))
            }
        }
    }

    private func sent(_ call: UpstreamCall) {
        machine.sent()
        call.sent(awaitsHead: machine.awaitsHead)
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
