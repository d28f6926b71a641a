import NIOCore
import Testing

@testable import HTTPWire

/// A machine with its input and the time, which passes only when a test says so.
final class MachineConnection {
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
    func collect(_ maxBytes: Int = 1 << 20, isUpload: Bool = false) -> [String] {
        do throws(WireFault) {
            let limit = BodyLimit(maxBytes: maxBytes, isUpload: isUpload)
            guard let plan = try machine.collect(limit, waiting: input.readableBytes, now: now) else { return ["nothing"] }
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

    var isServing: Bool { if case .serving = machine.state { true } else { false } }

    /// Whether the connection lingers, and whether patiently.
    var lingers: Bool? { if case .lingering(let lingering) = machine.state { lingering.isPatient } else { nil } }
}
