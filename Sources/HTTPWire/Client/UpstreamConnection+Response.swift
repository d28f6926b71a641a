import NIOCore

extension UpstreamConnection {
    /// Passes the received bytes to the delegate while it is ready for them. The delegate may cancel at each step.
    func deliver() {
        guard !isDelivering else { return }
        isDelivering = true
        // The end of a response may start the next call on this connection, for which nothing has arrived yet.
        if let call, let delegate = call.delegate {
            while self.call === call, deliverNext(call, delegate) {}
        }
        isDelivering = false
        if input.readableBytes == 0 { input = noBytes }
    }

    private func deliverNext(_ call: UpstreamCall, _ delegate: any UpstreamDelegate) -> Bool {
        switch machine.step(&input, isReady: delegate.isReadyForUpstreamBody) {
        case .wait:
            return false
        case .head(let head):
            call.headReceived()
            delegate.upstream(call, head: head)
        case .body(let bytes):
            delegate.upstream(call, body: bytes)
        case .end:
            endResponse()
        case .fail(let reason):
            fail(.malformed(reason))
        }
        return true
    }

    func endResponse() {
        writer.clear()
        guard let call else { return }
        self.call = nil
        call.finish()?.upstreamEnd(call)
    }

    /// Ends a read, or the delivery after a pause.
    func finishRead() {
        switch machine.readEnded() {
        case .none:
            break
        case .notify:
            if let call { call.delegate?.upstreamReadComplete(call) }
        case .release:
            if reading.mode == .ahead { reading.set(.usual, context) }
            pool?.release(self)
        case .close:
            close()
        }
    }

    func resume(_ call: UpstreamCall) {
        guard !isDelivering else { return }
        if reading.mode == .paused { call.restartIdle() }
        deliver()
        finishRead()
        if machine.isDisconnected { endOfInput() }
        if reading.mode == .paused, !mustPauseRead { reading.set(.usual, context) }
    }

    var mustPauseRead: Bool { machine.isInBody && (input.readableBytes > 0 || call?.delegate?.isReadyForUpstreamBody == false) }

    func fail(_ failure: UpstreamFailure) {
        guard let call else { return }
        self.call = nil
        close()
        call.fail(failure)
    }
}
