import NIOCore
import Testing

@testable import HTTPWire

/// Tests the decisions of a connection to an upstream without a channel or a delegate.
struct UpstreamMachineTests {
    private final class Connection {
        var machine: UpstreamMachine
        private var input = ByteBuffer()

        init(isSecure: Bool = false) { machine = UpstreamMachine(isSecure: isSecure) }

        /// A connection on which a request is sent.
        static func busy(isHeadRequest: Bool = false) -> Connection {
            let connection = Connection()
            #expect(connection.machine.start(isHeadRequest: isHeadRequest) == .write)
            connection.machine.sent()
            return connection
        }

        /// A connection that has served a request and is sent another.
        static func kept() -> Connection {
            let connection = busy()
            #expect(connection.receive("HTTP/1.1 204 No Content\r\n\r\n") == ["head 204", "end"])
            #expect(connection.machine.readEnded() == .release)
            #expect(connection.machine.start(isHeadRequest: false) == .write)
            connection.machine.sent()
            return connection
        }

        /// The steps that follow `text`.
        func receive(_ text: String, isReady: Bool = true) -> [String] {
            switch machine.received(text.utf8.count) {
            case .drop: return ["drop"]
            case .close: return ["close"]
            case .read: input.writeString(text)
            }
            return steps(isReady: isReady)
        }

        func steps(isReady: Bool = true) -> [String] {
            var names: [String] = []
            while true {
                switch machine.step(&input, isReady: isReady) {
                case .wait: return names
                case .head(let head): names.append("head \(head.status)")
                case .body(let bytes): names.append(String(buffer: bytes))
                case .end: names.append("end")
                case .fail(let reason): return names + ["fail: \(reason)"]
                }
            }
        }

        func handshakeCompleted() -> Bool { machine.handshakeCompleted() }

        func disconnected() -> Bool { machine.disconnected() }

        var awaitsHead: Bool { machine.awaitsHead }

        func inputEnded(isClean: Bool = true) -> String {
            switch machine.inputEnded(waiting: input.readableBytes, isClean: isClean) {
            case .none: "none"
            case .end: "end"
            case .handshakeFailed: "handshake failed"
            case .fail(let failure): "\(failure)"
            }
        }
    }

    private static let sized = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
    private static let untilClose = "HTTP/1.1 200 OK\r\n\r\n"

    @Test("a request is written at once, or after the TLS handshake")
    func start() {
        let plain = Connection()
        #expect(plain.machine.start(isHeadRequest: false) == .write && plain.machine.isOnlyWriting)
        #expect(!plain.handshakeCompleted())
        let secure = Connection(isSecure: true)
        #expect(secure.machine.start(isHeadRequest: false) == .awaitHandshake)
        #expect(secure.handshakeCompleted() && !secure.handshakeCompleted())
        let early = Connection(isSecure: true)
        #expect(!early.handshakeCompleted())
        #expect(early.machine.start(isHeadRequest: false) == .write)
    }

    @Test("a connection that closed before its first request fails that request")
    func closedEarly() {
        let connection = Connection()
        #expect(!connection.disconnected() && connection.inputEnded() == "none" && !connection.machine.isOpen)
        #expect(connection.machine.start(isHeadRequest: false) == .fail)
        #expect(connection.inputEnded() == "reset")
    }

    @Test("a response arrives in any parts; the response to HEAD has no body")
    func parts() {
        let connection = Connection.busy()
        #expect(connection.awaitsHead)
        #expect(connection.receive("HTTP/1.1 200 OK\r\ncontent-le") == [])
        #expect(connection.receive("ngth: 2\r\n\r\na") == ["head 200", "a"] && connection.machine.isInBody)
        #expect(connection.receive("b") == ["b", "end"] && !connection.machine.isInBody)
        let head = Connection.busy(isHeadRequest: true)
        #expect(head.receive(Self.sized) == ["head 200", "end"])
    }

    @Test("interim responses are skipped up to a limit, and a switch of protocols is malformed")
    func interim() {
        let connection = Connection.busy()
        #expect(connection.receive("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n") == [] && connection.awaitsHead)
        #expect(connection.receive(Self.sized) == ["head 200"])
        let endless = Connection.busy()
        let response = "HTTP/1.1 103 Early Hints\r\nlink: \(String(repeating: "x", count: 8000))\r\n\r\n"
        #expect(endless.receive(response) == [] && endless.receive(response) == [])
        #expect(endless.receive(response) == ["fail: more than 16384 bytes of interim responses"])
        let switching = Connection.busy()
        #expect(
            switching.receive("HTTP/1.1 101 Switching Protocols\r\n\r\n") == ["fail: status 101 without a request to switch protocols"])
    }

    @Test(
        "a connection is reused only if the head allows it, the request is sent and no byte follows the response",
        arguments: [
            (sized + "ab", true, UpstreamMachine.ReadEnd.release), (sized + "ab", false, .close), (sized + "abc", true, .close),
            ("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", true, .close),
            ("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", true, .close),
        ])
    func reuse(_ response: String, _ isSent: Bool, _ end: UpstreamMachine.ReadEnd) {
        let connection = Connection()
        #expect(connection.machine.start(isHeadRequest: false) == .write)
        if isSent { connection.machine.sent() }
        #expect(connection.receive(response).last == "end")
        #expect(connection.machine.readEnded() == end)
    }

    @Test("bytes after a response, and a close, make the connection useless")
    func afterResponse() {
        let sameRead = Connection.busy()
        #expect(sameRead.receive(Self.sized + "ab").last == "end" && sameRead.receive("x") == ["drop"])
        #expect(sameRead.machine.readEnded() == .close)
        let closed = Connection.busy()
        #expect(closed.receive(Self.sized + "ab").last == "end" && !closed.disconnected())
        #expect(closed.inputEnded() == "none" && closed.machine.readEnded() == .close)
        let idle = Connection.busy()
        #expect(idle.receive(Self.sized + "ab").last == "end" && idle.machine.readEnded() == .release)
        #expect(idle.receive("x") == ["close"])
    }

    @Test("a request is sent again only if a kept connection was closed before the first byte of the response")
    func replay() {
        let kept = Connection.kept()
        #expect(kept.disconnected())
        let begun = Connection.kept()
        #expect(begun.receive("H") == [] && !begun.disconnected() && begun.inputEnded() == "truncated")
        let interim = Connection.kept()
        #expect(interim.receive("HTTP/1.1 100 Continue\r\n\r\n") == [])
        #expect(!interim.disconnected() && interim.inputEnded() == "truncated")
        let fresh = Connection.busy()
        #expect(!fresh.disconnected() && fresh.inputEnded() == "reset")
    }

    @Test(
        "a clean close ends a body that lasts until it, and truncates any other",
        arguments: [(untilClose, true, "end"), (untilClose, false, "truncated"), (sized, true, "truncated")])
    func close(_ head: String, _ isClean: Bool, _ end: String) {
        let connection = Connection.busy()
        #expect(connection.receive(head + "a") == ["head 200", "a"])
        #expect(!connection.disconnected() && connection.inputEnded(isClean: isClean) == end)
    }

    @Test("a close in the handshake is the handshake's failure")
    func handshakeFails() {
        let connection = Connection(isSecure: true)
        #expect(connection.machine.start(isHeadRequest: false) == .awaitHandshake)
        #expect(!connection.disconnected() && connection.inputEnded(isClean: false) == "handshake failed")
    }

    @Test("body bytes wait until the delegate is ready, and the close is handled after them")
    func backpressure() {
        let connection = Connection.busy()
        #expect(connection.receive(Self.untilClose + "ab", isReady: false) == ["head 200"])
        #expect(!connection.disconnected() && connection.inputEnded() == "none")
        #expect(connection.steps() == ["ab"] && connection.inputEnded() == "end")
    }

    @Test("the end of a read is reported only if it brought something, and not after the response's end")
    func news() {
        let connection = Connection.busy()
        #expect(connection.receive("HTTP/1.1 200 OK\r\n") == [] && connection.machine.readEnded() == .none)
        #expect(connection.receive("content-length: 2\r\n\r\n") == ["head 200"] && connection.machine.readEnded() == .notify)
        #expect(connection.machine.readEnded() == .none)
        #expect(connection.receive("a") == ["a"] && connection.machine.readEnded() == .notify)
        #expect(connection.receive("b") == ["b", "end"] && connection.machine.readEnded() == .release)
    }

    @Test("a request is still being written after an early head, but no longer alone")
    func earlyHead() {
        let connection = Connection()
        #expect(connection.machine.start(isHeadRequest: false) == .write && connection.machine.isOnlyWriting)
        #expect(connection.receive(Self.sized) == ["head 200"] && !connection.machine.isOnlyWriting)
        connection.machine.sent()
        #expect(connection.receive("ab") == ["ab", "end"] && connection.machine.readEnded() == .release)
    }

    @Test("nothing is read once the connection is closed")
    func closed() {
        let connection = Connection.busy()
        connection.machine.close()
        #expect(connection.receive(Self.sized) == ["drop"] && connection.machine.readEnded() == .none && !connection.machine.isOpen)
    }
}
