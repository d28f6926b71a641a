import NIOCore
import Testing

@testable import HTTPWire

/// Tests the decisions of a client's connection without a channel, a handler or a clock.
struct ServerMachineTests {
    /// A machine with its input and the time, which passes only when a test says so.
    private final class Connection {
        var machine: ServerMachine
        private var input = ByteBuffer()
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        let settings: ConnectionSettings

        init(_ change: (inout ServerLimits) -> Void = { _ in }) {
            var limits = ServerLimits()
            change(&limits)
            settings = ConnectionSettings(limits)
            machine = ServerMachine(settings)
            machine.connected(now: now)
        }

        /// The steps that follow `text`, up to the one that needs a decision.
        func receive(_ text: String) -> [String] {
            switch machine.received(text.utf8.count, waiting: input.readableBytes, now: now) {
            case .drop: return ["drop"]
            case .close: return ["close"]
            case .read: input.writeString(text)
            }
            return steps()
        }

        func steps() -> [String] {
            var names: [String] = []
            while true {
                switch machine.step(&input, now: now) {
                case .wait: return names
                case .accept(let request): return names + ["accept \(request.head.path)"]
                case .append(let bytes, let rest): names.append("\(String(buffer: bytes)) +\(rest.map(String.init) ?? "?")")
                case .handle: return names + ["handle"]
                case .refuse(let fault): return names + ["refuse \(fault.status)"]
                case .next: return names + ["next"]
                case .linger: return names + ["linger"]
                }
            }
        }

        /// Collects the body; returns the status of a refusal, or what follows.
        func collect(_ maxBytes: Int = 1 << 20) -> [String] {
            do throws(WireFault) {
                guard let plan = try machine.collect(maxBytes: maxBytes, waiting: input.readableBytes, now: now) else { return ["nothing"] }
                return (plan.sendsContinue ? ["continue"] : []) + steps()
            } catch {
                return ["refuse \(error.status)"]
            }
        }

        func respond(isDraining: Bool = false) -> ServerMachine.Ending {
            machine.responded(isLast: machine.isLastResponse(isDraining: isDraining), waiting: input.readableBytes, now: now)
        }

        func refuse(_ status: Int) -> ServerMachine.Ending {
            machine.refused(WireFault(status, ""), waiting: input.readableBytes, now: now)
        }

        func next(isDraining: Bool = false) -> Bool {
            machine.nextRequest(settings, isDraining: isDraining, waiting: input.readableBytes, now: now)
        }

        /// Serves a request without a body.
        func serve() {
            #expect(receive("GET / HTTP/1.1\r\nhost: h\r\n\r\n") == ["accept /"])
            #expect(collect() == ["handle"])
            #expect(respond() == .next)
            #expect(next())
        }

        /// Lets the time pass, up to the deadline unless another time is given.
        func expire(at time: NIODeadline? = nil) -> String {
            guard let deadline = machine.deadline else { return "no deadline" }
            now = time ?? max(now, deadline)
            return switch machine.deadlineReached(now) {
            case .none: "none"
            case .refuse(let fault): "refuse \(fault.status)"
            case .linger: "linger"
            case .checkProgress: "check"
            }
        }

        func progress(taken: Int = 0, waiting: Int = 0) -> ServerMachine.Verdict {
            machine.progressed(taken: taken, waiting: waiting, now: now)
        }

        func drain(waiting: Int) -> Bool { machine.drain(waiting: waiting, now: now) }

        func mustPause(_ waiting: Int) -> Bool { machine.mustPauseRead(waiting: waiting) }

        var seconds: Int64 { machine.deadline.map { ($0 - now).nanoseconds / 1_000_000_000 } ?? -1 }

        /// Whether the connection lingers, and whether patiently.
        var lingers: Bool? { if case .lingering(let lingering) = machine.state { lingering.isPatient } else { nil } }
    }

    private static func post(_ fields: String, _ body: String = "") -> String { "POST / HTTP/1.1\r\nhost: h\r\n\(fields)\r\n\r\n\(body)" }

    @Test("a request without a body reaches the handler at once, and the connection waits for the next")
    func withoutBody() {
        let connection = Connection()
        connection.serve()
        connection.serve()
    }

    @Test("pipelined requests are read one at a time")
    func pipelined() {
        let connection = Connection()
        #expect(connection.receive("GET /1 HTTP/1.1\r\nhost: h\r\n\r\nGET /2 HTTP/1.1\r\nhost: h\r\n\r\n") == ["accept /1"])
        #expect(connection.collect() == ["handle"])
        #expect(connection.steps() == [])
        #expect(connection.respond() == .next && connection.next())
        #expect(connection.steps() == ["accept /2"])
    }

    @Test("the next request waits until the client takes bytes again")
    func unwritable() {
        let connection = Connection()
        connection.machine.isWritable = false
        #expect(connection.receive("GET / HTTP/1.1\r\nhost: h\r\n\r\n") == [])
        connection.machine.isWritable = true
        #expect(connection.steps() == ["accept /"])
    }

    @Test("a body arrives in parts, with or without a known size")
    func parts() {
        let sized = Connection()
        #expect(sized.receive(Self.post("content-length: 5", "ab")) == ["accept /"])
        #expect(sized.collect() == ["ab +3"])
        #expect(sized.receive("cde") == ["cde +0", "handle"])

        let chunked = Connection()
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
        let connection = Connection { $0.maxBodyBytes = 10 }
        #expect(connection.receive(Self.post(fields, body)) == ["accept /"])
        #expect(connection.collect(maxBytes) == steps)
    }

    @Test("`100 Continue` is sent only to a client that has sent none of the body")
    func expectContinue() {
        let waiting = Connection()
        #expect(waiting.receive(Self.post("content-length: 2\r\nexpect: 100-continue")) == ["accept /"])
        #expect(waiting.collect() == ["continue"])
        let sending = Connection()
        #expect(sending.receive(Self.post("content-length: 2\r\nexpect: 100-continue", "a")) == ["accept /"])
        #expect(sending.collect() == ["a +1"])
    }

    @Test("the handler can ask for the body later, once, and not after it has declined it")
    func later() {
        let connection = Connection()
        #expect(connection.receive(Self.post("content-length: 1", "a")) == ["accept /"])
        connection.machine.leftUnread(isAwaited: true, now: connection.now)
        #expect(connection.machine.isRequestIncomplete && connection.steps() == [])
        #expect(connection.collect() == ["a +0", "handle"])
        #expect(!connection.machine.isRequestIncomplete && connection.collect() == ["nothing"])

        let declined = Connection()
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
        let connection = Connection()
        #expect(connection.receive(Self.post(fields)) == ["accept /"])
        #expect(connection.machine.isLastResponse(isDraining: isDraining) == isLast)
    }

    @Test("the rest of a small body is dropped, and then the connection is used again")
    func discards() {
        let connection = Connection()
        #expect(connection.receive(Self.post("content-length: 4", "ab")) == ["accept /"])
        #expect(connection.respond() == .discard)
        #expect(connection.steps() == [] && connection.receive("cd") == ["next"])
        #expect(connection.next())
        connection.serve()
    }

    @Test("after the last response up to four times the largest body is dropped, and then the connection closes")
    func discardsLargest() {
        let connection = Connection { $0.maxBodyBytes = 10 }
        #expect(connection.receive(Self.post("content-length: 99999")) == ["accept /"])
        #expect(connection.respond() == .discard)
        #expect(connection.receive(String(repeating: "x", count: 40)) == [] && connection.lingers == nil)
        #expect(connection.receive("x") == ["linger"] && connection.lingers == false)
    }

    @Test("a body that is malformed while it is dropped closes the connection without a second response")
    func discardsMalformed() {
        let connection = Connection()
        #expect(connection.receive(Self.post("transfer-encoding: chunked")) == ["accept /"])
        #expect(connection.respond() == .discard)
        #expect(connection.receive("zz\r\n") == ["linger"] && connection.lingers == true)
    }

    @Test("a client that waits for `100 Continue` has nothing to drop")
    func refusesContinue() {
        let connection = Connection()
        #expect(connection.receive(Self.post("content-length: 1\r\nexpect: 100-continue")) == ["accept /"])
        #expect(connection.respond() == .linger && connection.lingers == true)
    }

    @Test("after a refusal a slow client gets no time, an unparsable one gets some, and any other body is dropped")
    func refusals() {
        func refused(_ status: Int) -> (ServerMachine.Ending, Bool?) {
            let connection = Connection()
            #expect(connection.receive(Self.post("content-length: 9", "a")) == ["accept /"])
            #expect(connection.collect() == ["a +8"])
            return (connection.refuse(status), connection.lingers)
        }
        #expect(refused(408) == (.linger, false))
        #expect(refused(400) == (.linger, true))
        #expect(refused(413) == (.discard, nil))
        let head = Connection()
        #expect(head.receive("bad\r\n") == ["refuse 400"])
        #expect(head.refuse(400) == .linger && head.lingers == true)
        let target = Connection { $0.maxTargetBytes = 1 }
        #expect(target.receive("GET /ab HTTP/1.1\r\n") == ["refuse 414"])
        #expect(target.refuse(414) == .linger && target.lingers == true)
    }

    @Test("a head that does not arrive in time is a 408; without a byte the connection closes without a response")
    func headDeadline() {
        let connection = Connection()
        #expect(connection.seconds == 10 && connection.receive("GET") == [])
        #expect(connection.expire() == "refuse 408")
        let silent = Connection()
        #expect(silent.expire() == "check" && silent.progress() == .linger)
    }

    @Test("an idle connection closes after its idle time, counted from the moment the client has taken the response")
    func idle() {
        let connection = Connection { $0.keepAliveIdle = .seconds(75) }
        connection.serve()
        #expect(connection.seconds == 5)
        #expect(connection.expire() == "check" && connection.progress(waiting: 9) == .wait && connection.seconds == 5)
        #expect(connection.expire() == "check" && connection.progress() == .wait && connection.seconds == 70)
        #expect(connection.expire() == "check" && connection.progress() == .linger && connection.lingers == false)
    }

    @Test("a body that pauses, takes too long or is too slow is a 408")
    func bodyDeadline() {
        let connection = Connection {
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
        let connection = Connection { $0.minBodyRate = 0 }
        #expect(connection.receive(Self.post("content-length: 9")) == ["accept /"])
        #expect(connection.collect() == [])
        connection.now = connection.now + .seconds(29)
        #expect(connection.receive("a") == ["a +8"])
        #expect(connection.expire(at: connection.now) == "none" && connection.seconds == 30)
    }

    @Test("dropping a body ends after its time, and the client gets no more")
    func discardDeadline() {
        let connection = Connection { $0.discardTime = .seconds(10) }
        #expect(connection.receive(Self.post("content-length: 9")) == ["accept /"])
        #expect(connection.respond() == .discard)
        #expect(connection.seconds == 10 && connection.expire() == "linger" && connection.lingers == false)
    }

    @Test("a client that takes no bytes for the stall time is cut off; one that takes some is not")
    func stall() {
        let connection = Connection { $0.writeStall = .seconds(60) }
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
        let fresh = Connection()
        #expect(!fresh.drain(waiting: 0))
        let served = Connection()
        served.serve()
        #expect(!served.drain(waiting: 1))
        #expect(served.drain(waiting: 0) && served.lingers == false)
        let busy = Connection()
        #expect(busy.receive("GET / HTTP/1.1\r\nhost: h\r\n\r\n") == ["accept /"])
        #expect(!busy.drain(waiting: 0))
        #expect(busy.collect() == ["handle"] && busy.respond(isDraining: true) == .linger)
    }

    @Test("while it lingers a connection drops a limited number of bytes and waits a limited time for the client's close")
    func lingers() {
        let connection = Connection()
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
        let connection = Connection()
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
        let connection = Connection()
        connection.machine.closed()
        #expect(connection.machine.deadline == nil && connection.receive("GET / HTTP/1.1\r\nhost: h\r\n\r\n") == ["drop"])
    }
}
