import Engine
import NIOCore
import Testing

@testable import HTTPWire

/// Tests the decisions of a client's connection without a channel, a handler or a clock.
struct ServerMachineTests {
    private static func post(_ fields: String, _ body: String = "") -> String { "POST / HTTP/1.1\r\nhost: h\r\n\(fields)\r\n\r\n\(body)" }

    @Test("a request without a body reaches the handler at once, and the connection waits for the next")
    func withoutBody() {
        let connection = MachineConnection()
        connection.serve()
        connection.serve()
    }

    @Test("pipelined requests are read one at a time")
    func pipelined() {
        let connection = MachineConnection()
        #expect(connection.receive("GET /1 HTTP/1.1\r\nhost: h\r\n\r\nGET /2 HTTP/1.1\r\nhost: h\r\n\r\n") == ["accept /1"])
        #expect(connection.collect() == ["handle"])
        #expect(connection.steps() == [])
        #expect(connection.respond() == .next && connection.next())
        #expect(connection.steps() == ["accept /2"])
    }

    @Test("the next request waits until the client takes bytes again")
    func unwritable() {
        let connection = MachineConnection()
        connection.machine.isWritable = false
        #expect(connection.receive("GET / HTTP/1.1\r\nhost: h\r\n\r\n") == [])
        connection.machine.isWritable = true
        #expect(connection.steps() == ["accept /"])
    }

    @Test("a body arrives in parts, with or without a known size")
    func parts() {
        let sized = MachineConnection()
        #expect(sized.receive(Self.post("content-length: 5", "ab")) == ["accept /"])
        #expect(sized.collect() == ["ab +3"])
        #expect(sized.receive("cde") == ["cde +0", "handle"])

        let chunked = MachineConnection()
        #expect(chunked.receive(Self.post("transfer-encoding: chunked", "2\r\nab\r\n")) == ["accept /"])
        #expect(chunked.collect() == ["ab +?"])
        #expect(chunked.receive("1\r\nc\r\n0\r\n\r\n") == ["c +?", "handle"])
    }

    @Test(
        "a body above the handler's or the server's limit is a 413, as early as its size is known",
        arguments: [
            ("content-length: 11", "", 100, ["refuse 413"]), ("content-length: 11", "", 10, ["refuse 413"]),
            ("transfer-encoding: chunked", "b\r\n", 100, ["refuse 413"]), ("transfer-encoding: chunked", "a\r\n", 10, []),
            ("transfer-encoding: chunked", "1\r\na\r\na\r\n", 10, ["a +?", "refuse 413"]), ("content-length: 10", "", 10, []),
        ])
    func tooLarge(_ fields: String, _ body: String, _ maxBytes: Int, _ steps: [String]) {
        let connection = MachineConnection { $0.maxBodyBytes = 10 }
        #expect(connection.receive(Self.post(fields, body)) == ["accept /"])
        #expect(connection.collect(maxBytes) == steps)
    }

    @Test("`100 Continue` is sent only to a client that has sent none of the body")
    func expectContinue() {
        let waiting = MachineConnection()
        #expect(waiting.receive(Self.post("content-length: 2\r\nexpect: 100-continue")) == ["accept /"])
        #expect(waiting.collect() == ["continue"])
        let sending = MachineConnection()
        #expect(sending.receive(Self.post("content-length: 2\r\nexpect: 100-continue", "a")) == ["accept /"])
        #expect(sending.collect() == ["a +1"])
    }

    @Test("the handler can ask for the body later, once, and not after it has declined it")
    func later() {
        let connection = MachineConnection()
        #expect(connection.receive(Self.post("content-length: 1", "a")) == ["accept /"])
        connection.machine.leftUnread(isAwaited: true, now: connection.now)
        #expect(connection.machine.isRequestIncomplete && connection.steps() == [])
        #expect(connection.collect() == ["a +0", "handle"])
        #expect(!connection.machine.isRequestIncomplete && connection.collect() == ["nothing"])

        let declined = MachineConnection()
        #expect(declined.receive(Self.post("content-length: 1", "a")) == ["accept /"])
        declined.machine.leftUnread(isAwaited: false, now: declined.now)
        #expect(!declined.machine.isRequestIncomplete && declined.collect() == ["nothing"])
    }

    @Test(
        "a response is the last if the request's head says so, the server drains or too much of the body is unread",
        arguments: [
            ("content-length: 65536", false, false), ("content-length: 65537", false, true), ("transfer-encoding: chunked", false, true),
            ("content-length: 1\r\nexpect: 100-continue", false, true), ("content-length: 1\r\nconnection: close", false, true),
            ("content-length: 0", false, false), ("content-length: 0", true, true), ("content-length: 0\r\nconnection: close", false, true),
        ])
    func isLast(_ fields: String, _ isDraining: Bool, _ isLast: Bool) {
        let connection = MachineConnection()
        #expect(connection.receive(Self.post(fields)) == ["accept /"])
        #expect(connection.machine.isLastResponse(isDraining: isDraining) == isLast)
    }

    @Test("the rest of a small body is dropped, and then the connection is used again")
    func discards() {
        let connection = MachineConnection()
        #expect(connection.receive(Self.post("content-length: 4", "ab")) == ["accept /"])
        #expect(connection.respond() == .discard)
        #expect(connection.steps() == [] && connection.receive("cd") == ["next"])
        #expect(connection.next())
        connection.serve()
    }

    @Test("an upload may take any time at a sufficient rate, and no other body may")
    func slowBodies() {
        for isUpload in [true, false] {
            let connection = MachineConnection {
                $0.bodyTotal = .seconds(20)
                $0.minBodyRate = 1
            }
            #expect(connection.receive(Self.post("content-length: 99999")) == ["accept /"])
            #expect(connection.collect(isUpload: isUpload) == [])
            for _ in 0..<4 {
                connection.now = connection.now + .seconds(6)
                _ = connection.receive("0123456789")
            }
            let expiry = connection.machine.deadlineReached(connection.now)
            if case .refuse(let fault) = expiry { #expect(!isUpload && fault.status == 408) } else { #expect(isUpload) }
            connection.now = connection.now + .seconds(29)
            guard case .refuse = connection.machine.deadlineReached(connection.now) else { return #expect(isUpload && false) }
        }
    }

    @Test("while a body's bytes can't be taken they wait, the socket is not read on, and the client's time stands still")
    func notReady() {
        let connection = MachineConnection()
        #expect(connection.receive(Self.post("content-length: 4", "ab")) == ["accept /"])
        #expect(connection.collect(isUpload: true) == ["ab +2"])
        connection.machine.setReady(false, now: connection.now)
        #expect(connection.receive("cd") == [] && connection.machine.mustPauseRead(waiting: 100_000))
        connection.now = connection.now + .seconds(3600)
        guard case .none = connection.machine.deadlineReached(connection.now) else { return #expect(Bool(false), "it is refused") }
        connection.machine.setReady(true, now: connection.now)
        #expect(!connection.machine.mustPauseRead(waiting: 100_000) && connection.steps() == ["cd +0", "handle"])
    }

    @Test("after the last response up to four times the largest body is dropped, and then the connection closes")
    func discardsLargest() {
        let connection = MachineConnection { $0.maxBodyBytes = 10 }
        #expect(connection.receive(Self.post("content-length: 99999")) == ["accept /"])
        #expect(connection.respond() == .discard)
        #expect(connection.receive(String(repeating: "x", count: 40)) == [] && connection.lingers == nil)
        #expect(connection.receive("x") == ["linger"] && connection.lingers == false)
    }

    @Test("a body that is malformed while it is dropped closes the connection without a second response")
    func discardsMalformed() {
        let connection = MachineConnection()
        #expect(connection.receive(Self.post("transfer-encoding: chunked")) == ["accept /"])
        #expect(connection.respond() == .discard)
        #expect(connection.receive("zz\r\n") == ["linger"] && connection.lingers == true)
    }

    @Test("a client that waits for `100 Continue` has nothing to drop")
    func refusesContinue() {
        let connection = MachineConnection()
        #expect(connection.receive(Self.post("content-length: 1\r\nexpect: 100-continue")) == ["accept /"])
        #expect(connection.respond() == .linger && connection.lingers == true)
    }

    @Test("after a refusal a slow client gets no time, an unparsable one gets some, and any other body is dropped")
    func refusals() {
        func refused(_ status: Int) -> (ServerMachine.Ending, Bool?) {
            let connection = MachineConnection()
            #expect(connection.receive(Self.post("content-length: 9", "a")) == ["accept /"])
            #expect(connection.collect() == ["a +8"])
            return (connection.refuse(status), connection.lingers)
        }
        #expect(refused(408) == (.linger, false))
        #expect(refused(400) == (.linger, true))
        #expect(refused(413) == (.discard, nil))
        let head = MachineConnection()
        #expect(head.receive("bad\r\n") == ["refuse 400"])
        #expect(head.refuse(400) == .linger && head.lingers == true)
        let target = MachineConnection { $0.maxTargetBytes = 1 }
        #expect(target.receive("GET /ab HTTP/1.1\r\n") == ["refuse 414"])
        #expect(target.refuse(414) == .linger && target.lingers == true)
    }

    @Test("a head that does not arrive in time is a 408; without a byte the connection closes without a response")
    func headDeadline() {
        let connection = MachineConnection()
        #expect(connection.seconds == 10 && connection.receive("GET") == [])
        #expect(connection.expire() == "refuse 408")
        let silent = MachineConnection()
        #expect(silent.expire() == "check" && silent.progress() == .linger)
    }

    @Test("an idle connection closes after its idle time, counted from the moment the client has taken the response")
    func idle() {
        let connection = MachineConnection { $0.keepAliveIdle = .seconds(75) }
        connection.serve()
        #expect(connection.seconds == 5)
        #expect(connection.expire() == "check" && connection.progress(waiting: 9) == .wait && connection.seconds == 5)
        #expect(connection.expire() == "check" && connection.progress() == .wait && connection.seconds == 70)
        #expect(connection.expire() == "check" && connection.progress() == .linger && connection.lingers == false)
    }

    @Test("a body that pauses, takes too long or is too slow is a 408")
    func bodyDeadline() {
        let connection = MachineConnection {
            $0.bodyTimeout = .seconds(30)
            $0.minBodyRate = 0
        }
        #expect(connection.receive(Self.post("content-length: 9")) == ["accept /"])
        #expect(connection.collect() == [] && connection.seconds == 30)
        connection.now = connection.now + .seconds(29)
        #expect(connection.receive("a") == ["a +8"] && connection.seconds == 30)
        #expect(connection.expire() == "refuse 408")
    }

    @Test("a deadline that has moved meanwhile ends nothing")
    func movedDeadline() {
        let connection = MachineConnection { $0.minBodyRate = 0 }
        #expect(connection.receive(Self.post("content-length: 9")) == ["accept /"])
        #expect(connection.collect() == [])
        connection.now = connection.now + .seconds(29)
        #expect(connection.receive("a") == ["a +8"])
        #expect(connection.expire(at: connection.now) == "none" && connection.seconds == 30)
    }

    @Test("dropping a body ends after its time, and the client gets no more")
    func discardDeadline() {
        let connection = MachineConnection { $0.discardTime = .seconds(10) }
        #expect(connection.receive(Self.post("content-length: 9")) == ["accept /"])
        #expect(connection.respond() == .discard)
        #expect(connection.seconds == 10 && connection.expire() == "linger" && connection.lingers == false)
    }

    @Test("a client that takes no bytes for the stall time is cut off; one that takes some is not")
    func stall() {
        let connection = MachineConnection { $0.writeStall = .seconds(60) }
        #expect(connection.receive("GET / HTTP/1.1\r\nhost: h\r\n\r\n") == ["accept /"])
        #expect(connection.collect() == ["handle"])
        for taken in 1...20 {
            #expect(connection.expire() == "check" && connection.progress(taken: taken, waiting: 1) == .wait && connection.seconds == 5)
        }
        for _ in 1...11 { #expect(connection.expire() == "check" && connection.progress(taken: 20, waiting: 1) == .wait) }
        #expect(connection.expire() == "check" && connection.progress(taken: 20, waiting: 1) == .cutOff)
    }

    @Test("a drained server closes idle connections, but not one that has not sent its first request")
    func drain() {
        let fresh = MachineConnection()
        #expect(!fresh.drain(waiting: 0))
        let served = MachineConnection()
        served.serve()
        #expect(!served.drain(waiting: 1))
        #expect(served.drain(waiting: 0) && served.lingers == false)
        let busy = MachineConnection()
        #expect(busy.receive("GET / HTTP/1.1\r\nhost: h\r\n\r\n") == ["accept /"])
        #expect(!busy.drain(waiting: 0))
        #expect(busy.collect() == ["handle"] && busy.respond(isDraining: true) == .linger)
    }

    @Test("while it lingers a connection drops a limited number of bytes and waits a limited time for the client's close")
    func lingers() {
        let connection = MachineConnection()
        #expect(connection.receive("GET / HTTP/1.0\r\n\r\n") == ["accept /"])
        #expect(connection.collect() == ["handle"] && connection.respond() == .linger)
        connection.machine.outputClosed(now: connection.now)
        #expect(connection.seconds == 1)
        #expect(connection.receive(String(repeating: "x", count: ServerMachine.maxWaitingBytes)) == ["drop"])
        #expect(connection.receive("x") == ["close"])
        #expect(connection.expire() == "check" && connection.progress() == .close)
    }

    @Test("reading pauses only while many bytes wait that can't be processed")
    func pause() {
        let limit = ServerMachine.maxWaitingBytes
        let connection = MachineConnection()
        #expect(!connection.mustPause(limit + 1))
        connection.machine.isWritable = false
        #expect(connection.mustPause(limit + 1) && !connection.mustPause(limit))
        connection.machine.isWritable = true
        #expect(connection.receive(Self.post("content-length: 9")) == ["accept /"])
        #expect(connection.mustPause(limit + 1))
        #expect(connection.collect() == [] && !connection.mustPause(limit + 1))
    }

    @Test("nothing follows the close of the connection")
    func closed() {
        let connection = MachineConnection()
        connection.machine.closed()
        #expect(connection.machine.deadline == nil && connection.receive("GET / HTTP/1.1\r\nhost: h\r\n\r\n") == ["drop"])
    }

    @Test("whatever happens, a deadline is set until the connection is closed, and a lingering connection stays one", arguments: 0..<200)
    func anything(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let connection = MachineConnection { $0.maxBodyBytes = 8 }
        let texts = ["GET /", "POST / HTTP/1.1\r\n", "host: h\r\n\r\n", "content-length: 9\r\n\r\n", "x", "3\r\nabc\r\n", "0\r\n\r\n"]
        let requests = [
            "content-length: 7", "transfer-encoding: chunked", "connection: close", "expect: 100-continue\r\ncontent-length: 2",
        ]
        var hasLingered = false
        for _ in 0..<60 {
            var steps: [String] = []
            switch UInt8.random(in: 0..<12, using: &random) {
            case 0...2: steps = connection.receive(texts.randomElement(using: &random) ?? "")
            case 3...4: steps = connection.receive(Self.post(requests.randomElement(using: &random) ?? "", "1\r\na\r\n"))
            case 5: steps = connection.collect(.random(in: 0...9, using: &random))
            case 6: connection.machine.leftUnread(isAwaited: .random(using: &random), now: connection.now)
            case 7:
                if connection.isServing, connection.respond(isDraining: .random(using: &random)) == .next { steps = ["next"] }
            case 8:
                if connection.isServing { steps = [["refuse 400", "refuse 408", "refuse 413"].randomElement(using: &random) ?? ""] }
            case 9:
                steps = [connection.expire()]
                if steps == ["check"] { _ = connection.progress(taken: 0, waiting: .random(in: 0...1, using: &random)) }
            case 10: _ = connection.drain(waiting: 0)
            default: connection.machine.isWritable.toggle()
            }
            while let step = steps.last, step == "next" || step.hasPrefix("refuse") {
                if step == "next" { _ = connection.next() } else { _ = connection.refuse(Int(step.dropFirst(7)) ?? 0) }
                steps = connection.steps()
            }
            #expect(connection.machine.deadline != nil)
            #expect(connection.lingers != nil || !hasLingered)
            hasLingered = connection.lingers != nil
        }
        connection.machine.closed()
        #expect(connection.machine.deadline == nil && connection.receive("x") == ["drop"])
    }
}
