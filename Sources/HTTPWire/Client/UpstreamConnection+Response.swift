import NIOCore

extension UpstreamConnection {
    /// Passes the received bytes to the delegate while it is ready for them. The delegate may cancel at each step.
    func deliver() {
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        guard let call, let delegate = call.delegate else { return dropEmptyInput() }
        do throws(WireFault) {
            // The end of a response may start the next call on this connection, for which nothing has arrived yet.
            while self.call === call, try deliverNext(call, delegate) {}
        } catch {
            fail(.malformed(error.reason))
        }
        dropEmptyInput()
    }

    private func dropEmptyInput() {
        if input.readableBytes == 0 { input = noBytes }
    }

    private func deliverNext(_ call: UpstreamCall, _ delegate: any UpstreamDelegate) throws(WireFault) -> Bool {
        switch phase {
        case .head:
            guard input.readableBytes > 0, let response = try parser.next(&input, isHeadRequest: call.message.isHeadRequest) else {
                return false
            }
            if response.status < 200 {
                try skipInterim(response)
            } else {
                try beginBody(response, call, delegate)
            }
            return true
        case .body:
            guard input.readableBytes == 0 || delegate.isReadyForUpstreamBody else { return false }
            switch try body.next(&input) {
            case .bytes(let bytes):
                hasDelivered = true
                delegate.upstream(call, body: bytes)
            case .more: return false
            case .end: endResponse(call)
            }
            return true
        case .idle, .ended, .closed:
            return false
        }
    }

    private func skipInterim(_ response: ParsedResponse) throws(WireFault) {
        guard response.status != 101 else { throw WireFault("status 101 without a request to switch protocols") }
        interimBytes &+= response.headBytes
        guard interimBytes <= Self.maxInterimBytes else { throw WireFault("more than \(Self.maxInterimBytes) bytes of interim responses") }
        parser = ResponseParser()
    }

    private func beginBody(_ response: ParsedResponse, _ call: UpstreamCall, _ delegate: any UpstreamDelegate) throws(WireFault) {
        phase = .body
        body = BodyReader(response.body)
        isUntilClose = response.body == .untilClose
        isReusable = response.isKeepAlive
        call.headReceived()
        hasDelivered = true
        delegate.upstream(call, head: UpstreamResponseHead(status: response.status, fields: response.fields))
    }

    private func endResponse(_ call: UpstreamCall) {
        phase = .ended
        isReusable = isReusable && input.readableBytes == 0 && writer.isSent
        writer.clear()
        self.call = nil
        call.finish()?.upstreamEnd(call)
    }

    /// Ends a read, or the delivery after a pause.
    func finishRead() {
        if phase == .ended {
            if isReadingAhead {
                isReadingAhead = false
                context?.setReadAhead(false)
            }
            if isReusable, !hasEnded {
                servedCount &+= 1
                phase = .idle
                pool?.release(self)
            } else {
                close()
            }
        } else if hasDelivered, let call {
            hasDelivered = false
            call.delegate?.upstreamReadComplete(call)
        }
    }

    /// Ends the call after the upstream has closed. If bytes still wait for the delegate, `resume` calls this again.
    func endOfInput() {
        guard let call, !mustPauseRead || input.readableBytes == 0 else { return }
        if phase == .body, isUntilClose, lastError == nil {
            endResponse(call)
            phase = .closed
        } else if !isReady {
            let place = pool?.connector.place ?? "the upstream"
            fail(.unreachable(TLSFailure.message(lastError, at: place)))
        } else {
            fail(responseBytes == 0 ? .reset : .truncated)
        }
    }

    func fail(_ failure: UpstreamFailure) {
        guard let call else { return }
        self.call = nil
        close()
        call.fail(failure)
    }
}
