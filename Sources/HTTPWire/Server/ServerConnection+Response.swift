import NIOCore

extension ServerConnection {
    func respond(_ exchange: ServerExchange, _ head: ResponseHead, _ body: ByteBuffer) {
        respond(exchange) {
            let count = writeBuffered(head, body)
            if count > 0 { exchange.keep(body.readableBytesView) }
            return count
        }
    }

    func respond(_ exchange: ServerExchange, _ head: ResponseHead, bodyBytes: Int, _ writeBody: (inout ByteBuffer) -> Void) {
        respond(exchange) {
            output.writeHead(head, bodyBytes: bodyBytes, date: loop.date.current())
            let isSent = output.framing != .none
            if isSent {
                output.writeBody(writeBody)
                exchange.keep(output.buffer.readableBytesView.suffix(bodyBytes))
            }
            handOver()
            flushSoon()
            return isSent ? bodyBytes : 0
        }
    }

    /// - Parameter write: writes the non-streamed response; returns the number of body bytes sent.
    private func respond(_ exchange: ServerExchange, _ write: () -> Int) {
        guard output.isAwaited else { return }
        output.closesConnection = isLastResponse(exchange)
        exchange.bytesSent = write()
        finish()
    }

    func begin(_ head: ResponseHead) {
        if output.isAwaited { output.hold(head) }
    }

    func write(_ exchange: ServerExchange, _ bytes: ByteBuffer) {
        guard !output.isAwaited else { return }
        sendPendingHead(exchange)
        guard bytes.readableBytes > 0, output.framing != .none else { return }
        exchange.bytesSent &+= bytes.readableBytes
        exchange.keep(bytes.readableBytesView)
        if output.writePart(bytes) {
            outputShare.hold(outputShare.bytes &+ bytes.readableBytes)
            handOver()
            handOver(bytes)
            output.endPart()
        } else if output.isFull {
            handOver()
        }
    }

    func flushResponse(_ exchange: ServerExchange) {
        guard !output.isAwaited else { return }
        sendPendingHead(exchange)
        handOver()
        flush()
    }

    func end(_ exchange: ServerExchange) {
        guard !output.isAwaited else { return }
        sendPendingHead(exchange)
        output.writeLastChunk()
        handOver()
        flush()
        finish()
    }

    /// The response is complete: closes the connection or reads the next request, as the response's head announced.
    private func finish() {
        detachExchange()
        readAt = .now()
        follow(machine.responded(isLast: output.closesConnection, waiting: input.readableBytes, now: readAt))
        process()
    }

    private func isLastResponse(_ exchange: ServerExchange) -> Bool {
        exchange.closesConnection || machine.isLastResponse(isDraining: loop.isDraining)
    }

    /// Writes and flushes a non-streamed response; returns the number of body bytes sent.
    @discardableResult
    func writeBuffered(_ head: ResponseHead, _ body: ByteBuffer) -> Int {
        output.writeHead(head, bodyBytes: body.readableBytes, date: loop.date.current())
        let isSent = output.framing != .none && body.readableBytes > 0
        let isSeparate = isSent && output.writePart(body, copyLimit: ResponseOutput.bufferedCopyLimit)
        handOver()
        if isSeparate {
            outputShare.hold(body.readableBytes)
            handOver(body)
        }
        flushSoon()
        return isSent ? body.readableBytes : 0
    }

    private func sendPendingHead(_ exchange: ServerExchange) {
        guard case .held(let head) = output.progress else { return }
        output.closesConnection = isLastResponse(exchange)
        output.writeHead(head, bodyBytes: nil, date: loop.date.current())
    }

    func handOver() {
        guard let bytes = output.take() else { return }
        socket.write(bytes)
    }

    private func handOver(_ bytes: ByteBuffer) {
        output.handedOverBytes &+= bytes.readableBytes
        socket.write(bytes)
    }
}
