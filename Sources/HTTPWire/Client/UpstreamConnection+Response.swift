import NIOCore

extension UpstreamConnection {
    /// Passes on all that has come and may be read. A delegate may cancel at each step.
    func deliver() {
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        guard let call, let delegate = call.delegate else { return dropEmptyInput() }
        do throws(WireFault) {
            // The end of a response may begin the next call here, for which there is nothing yet.
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
            guard input.readableBytes == 0 || delegate.upstreamMayRead else { return false }
            switch try body.next(&input) {
            case .bytes(let piece):
                hasNews = true
                delegate.upstream(call, body: piece)
            case .more: return false
            case .end: endResponse(call)
            }
            return true
        case .idle, .ended, .closed:
            return false
        }
    }

    private func skipInterim(_ response: ParsedResponse) throws(WireFault) {
        guard response.status != 101 else { throw WireFault("it changes to another protocol, which nobody asked for") }
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
        hasNews = true
        delegate.upstream(call, head: UpstreamResponseHead(status: response.status, fields: response.fields))
    }

    private func endResponse(_ call: UpstreamCall) {
        phase = .ended
        isReusable = isReusable && input.readableBytes == 0 && writer.isSent
        writer.stop()
        self.call = nil
        call.finish()?.upstreamEnd(call)
    }

    /// The end of a read, or of what was held.
    func settle() {
        if phase == .ended {
            if isGreedy {
                isGreedy = false
                context?.setGreedy(false)
            }
            if isReusable, !hasEnded {
                served &+= 1
                phase = .idle
                pool?.release(self)
            } else {
                close()
            }
        } else if hasNews, let call {
            hasNews = false
            call.delegate?.upstreamReadComplete(call)
        }
    }

    /// Nothing more will come. What is still held goes first; then the rules say what the end means.
    func endOfInput() {
        guard let call, !isHeld || input.readableBytes == 0 else { return }
        if phase == .body, isUntilClose, lastError == nil {
            endResponse(call)
            phase = .closed
        } else if !isReady {
            fail(.unreachable(lastError.map { "TLS failed: \($0)" } ?? "the connection was closed during the TLS handshake"))
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
