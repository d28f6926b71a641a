import Codecs
import Engine
import NIOCore
import ProviderKit
import Telemetry

/// `GET /admin/state` and `/admin/state/{model}`: what each model is ready for, and why not;
/// `POST /admin/state/{model}/reset`.
enum StateEndpoint {
    static func all(_ exchange: Exchange) {
        let engine = exchange.gateway.engine, startedAt = exchange.gateway.startedAt
        exchange.respondLater {
            let snapshot = engine.store.current, list = ModelStateList(snapshot), calls = await engine.metrics().activeCalls
            return .json { writer in
                writer.member("config", snapshot.policy.digest)
                writer.member("generation", snapshot.generation)
                writer.member("loaded_at", snapshot.loadedAt)
                writer.member("started_at", startedAt)
                writer.member("active_calls", calls)
                if let store = engine.shared?.status { write(store, to: &writer) }
                write(list, to: &writer)
            }
        }
    }

    static func one(_ exchange: Exchange) {
        respond(exchange) { _, _ in }
    }

    static func reset(_ exchange: Exchange) {
        respond(exchange) { list, snapshot in list.reset(in: snapshot, on: exchange.loop) }
    }

    private static func respond(_ exchange: Exchange, after change: (ModelStateList, Snapshot) -> Void) {
        let name = exchange.pathParameter ?? "", snapshot = exchange.snapshot
        let list = ModelStateList(snapshot, named: name)
        guard !list.entries.isEmpty else {
            return exchange.respond(
                APIError(
                    404, "the policy has no model '\(name.excerpt)', or a wildcard has not stood for it lately; GET /admin/state lists all",
                    code: "model_not_found"))
        }
        change(list, snapshot)
        exchange.respond { write(list, to: &$0) }
    }

    private static func write(_ store: SharedStoreStatus, to writer: inout JSONWriter) {
        writer.key("store")
        writer.object {
            $0.member("server", store.place)
            $0.member("state", store.isUp ? "up" : "down")
            if let reason = store.reason { $0.member("reason", "the Redis server \(reason)") }
            $0.member("since", store.since)
            $0.member("on_failure", store.onFailure.rawValue)
            $0.member("round_trips", store.roundTrips)
            $0.member("failures", store.failures)
            $0.member("local_decisions", store.decidedAlone)
        }
    }

    private static func write(_ list: ModelStateList, to writer: inout JSONWriter) {
        let now = NIODeadline.now()
        writer.key("models")
        writer.array { for entry in list.entries { entry.write(to: &$0, now: now) } }
    }
}
