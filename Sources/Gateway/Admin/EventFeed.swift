import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import Synchronization
import Telemetry

/// `GET /admin/events`: what happens from now on, as server-sent events.
///
/// Nothing is sent to the feed when something happens; it looks four times a second. So it costs requests nothing, and
/// a busy router sends it a part of the requests, with the number of those that are missing.
final class EventFeed: Sendable {
    /// The events that there are. The raw values are their names.
    enum Kind: String, CaseIterable {
        /// The ledger of a request that has ended.
        case request
        /// How many requests have ended whose ledgers are left out. It comes with `request` also if it isn't chosen.
        case skipped
        /// The models whose state has changed; at first all.
        case state
        /// The figures of the running minute.
        case minute
        /// A load of the policy.
        case reload
    }

    static let parameter = RequestMember.list("types", of: Kind.allCases.map(\.rawValue))

    /// Between two looks.
    private static let interval = Duration.milliseconds(250)
    /// The states and figures are looked at each fourth time.
    private static let slowLooks = 4
    /// A comment follows after so many looks without an event: 15 s.
    private static let keepAliveLooks = 60
    /// The most ledgers of one event loop at a time.
    private static let maxLedgers = 100

    fileprivate static let contentType = "text/event-stream; charset=utf-8"

    private let isClientSlow = Atomic(false)
    private let task = Mutex<Task<Void, Never>?>(nil)

    static func serve(_ exchange: Exchange) {
        do throws(APIError) {
            let query = try QueryFields(exchange)
            let names = query["types"].map { $0.split(separator: ",").map(String.init) } ?? Kind.allCases.map(\.rawValue)
            let kinds = names.compactMap(Kind.init)
            guard kinds.count == names.count else {
                throw APIError(
                    400, "'types' must be a list of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))", code: "invalid_value",
                    param: "types")
            }
            guard exchange.server.head.method != .head else {
                return exchange.respond(200, [], fields: { $0.add("content-type", EventFeed.contentType) })
            }
            let feed = EventFeed()
            exchange.feed = feed
            feed.start(exchange, Set(kinds))
        } catch {
            exchange.respond(error)
        }
    }

    /// While the client is slow, the feed doesn't look, and later says what is missing.
    func clientWritable(_ isWritable: Bool) { isClientSlow.store(!isWritable, ordering: .relaxed) }

    func stop() { task.withLock { $0?.cancel() } }

    private func start(_ exchange: Exchange, _ kinds: Set<Kind>) {
        let bound = NIOLoopBound(exchange, eventLoop: exchange.loop.eventLoop), gateway = exchange.gateway
        let looking = Task {
            var look = await Look(engine: gateway.engine, kinds: kinds)
            // Whatever happens after a client has seen the head is in the feed.
            bound.eventLoop.execute { bound.value.beginFeed() }
            var number = 0, lastEvent = 0
            while !Task.isCancelled, !gateway.isDraining {
                if !isClientSlow.load(ordering: .relaxed) {
                    var events = await look.events(withFigures: number % Self.slowLooks == 0)
                    if events.isEmpty, number - lastEvent >= Self.keepAliveLooks { events = Array(": keep-alive\n\n".utf8) }
                    if !events.isEmpty {
                        lastEvent = number
                        let bytes = ByteBuffer(bytes: events)
                        bound.eventLoop.execute { bound.value.sendToFeed(bytes) }
                    }
                }
                number += 1
                try? await Task.sleep(for: Self.interval)
            }
            bound.eventLoop.execute { bound.value.endFeed() }
        }
        task.withLock { $0 = looking }
    }

    /// Finds out what is new.
    private struct Look {
        let engine: Engine
        let kinds: Set<Kind>
        /// Up to which request each event loop's ledgers were sent.
        private var place: [Int]?
        private var reloads: Int
        /// What was sent last of each model, and of the minute.
        private var states: [ModelName: [UInt8]] = [:]
        private var minute: [UInt8] = []

        init(engine: Engine, kinds: Set<Kind>) async {
            self.engine = engine
            self.kinds = kinds
            reloads = engine.reloads.count
            _ = await engine.requests(since: &place, limit: 0)
        }

        mutating func events(withFigures: Bool) async -> [UInt8] {
            var events: [UInt8] = []
            if kinds.contains(.request) || kinds.contains(.skipped) {
                let (ledgers, missing) = await engine.requests(since: &place, limit: EventFeed.maxLedgers)
                for ledger in ledgers { add(.request, ledger, to: &events) }
                if missing > 0 {
                    var writer = JSONWriter()
                    writer.object { $0.member("requests", missing) }
                    add(.skipped, writer.bytes, to: &events)
                }
            }
            if kinds.contains(.reload) {
                for entry in engine.reloads.entries(after: reloads) {
                    var writer = JSONWriter()
                    entry.write(to: &writer)
                    add(.reload, writer.bytes, to: &events)
                    reloads += 1
                }
            }
            guard withFigures else { return events }
            if kinds.contains(.state) { addStates(to: &events) }
            if kinds.contains(.minute) { await addMinute(to: &events) }
            return events
        }

        private mutating func addStates(to events: inout [UInt8]) {
            var changed: [[UInt8]] = [], known: [ModelName: [UInt8]] = [:]
            let now = NIODeadline.now()
            for entry in ModelStateList(engine.store.current).entries {
                var writer = JSONWriter(capacity: 512)
                entry.write(to: &writer, now: now)
                let bytes = writer.bytes
                if states[entry.name] != bytes { changed.append(bytes) }
                known[entry.name] = bytes
            }
            let removed = states.keys.filter { known[$0] == nil }
            states = known
            guard !changed.isEmpty || !removed.isEmpty else { return }
            var writer = JSONWriter()
            writer.object {
                $0.key("models")
                $0.array { for bytes in changed { $0.raw(bytes) } }
                $0.key("removed")
                $0.array { list in
                    for name in removed {
                        list.object {
                            $0.member("provider", name.provider)
                            $0.member("model", name.model)
                        }
                    }
                }
            }
            add(.state, writer.bytes, to: &events)
        }

        private mutating func addMinute(to events: inout [UInt8]) async {
            var writer = JSONWriter()
            await engine.recentMinutes().current(at: .now()).write(to: &writer)
            guard writer.bytes != minute else { return }
            minute = writer.bytes
            add(.minute, minute, to: &events)
        }

        /// - Parameter data: JSON, which has no line feed.
        private func add(_ kind: Kind, _ data: [UInt8], to events: inout [UInt8]) {
            guard kinds.contains(kind) || kind == .skipped && kinds.contains(.request) else { return }
            events += "event: \(kind.rawValue)\ndata: ".utf8
            events += data
            events += "\n\n".utf8
        }
    }
}

extension Exchange {
    /// Sends the head of an event feed.
    fileprivate func beginFeed() {
        var head = ResponseHead(status: 200)
        head.add("content-type", EventFeed.contentType)
        head.add("cache-control", "no-cache")
        head.add("x-accel-buffering", "no")
        addCommonFields(to: &head)
        server.begin(head)
        server.flush()
    }

    fileprivate func sendToFeed(_ bytes: ByteBuffer) {
        server.write(bytes)
        server.flush()
    }

    fileprivate func endFeed() {
        server.end()
        end(status: 200)
    }
}
