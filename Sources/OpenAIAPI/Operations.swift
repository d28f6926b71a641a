package import Engine
import HTTPWire
import NIOCore
import ProviderKit
package import RoutingPolicy
import Synchronization

/// Health, metrics and reload: what operators and their machines ask.
package final class Operations: Sendable {
    private let unready = Atomic(false)
    private let reload: @Sendable (String) async -> Reloader.Outcome
    private let check: @Sendable ([UInt8]) -> PolicyReport

    /// - Parameters:
    ///   - reload: does what SIGHUP does, and gives what came of it.
    ///   - check: reads a policy's text as a load would, but for its files.
    package init(
        reload: @escaping @Sendable (_ source: String) async -> Reloader.Outcome, check: @escaping @Sendable (_ text: [UInt8]) -> PolicyReport
    ) {
        self.reload = reload
        self.check = check
    }

    func becomeUnready() { unready.store(true, ordering: .releasing) }

    func serve(_ endpoint: Endpoint, _ api: APIExchange, _ engine: Engine, _ log: AccessLog) {
        switch endpoint {
        case .health, .livez: health(api, engine.status.value, status: 200)
        case .readyz: health(api, engine.status.value, status: unready.load(ordering: .acquiring) ? 503 : 200)
        case .metrics: answer(api) { await self.metrics(engine, log) }
        case .reload: answer(api) { await self.reloaded() }
        case .check:
            let text = Array(api.exchange.body.readableBytesView)
            answer(api) { self.checked(text) }
        case .chat, .models, .model, .explain: break  // not ours
        }
    }

    private func health(_ api: APIExchange, _ policy: PolicyStatus.Value, status: Int) {
        var writer = JSONWriter()
        writer.object {
            $0.member("status", unready.load(ordering: .acquiring) ? "draining" : "ok")
            $0.key("config")
            $0.object { config in
                config.member("digest", policy.digest)
                config.member("loaded_at", policy.loadedAt)
                if let errors = policy.lastErrors {
                    // Anybody may ask for health, and a report quotes the file: who may read that asks /admin/reload, or the log.
                    config.member("last_reload", "failed")
                    config.member("errors", errors.count)
                } else {
                    config.member("last_reload", "ok")
                }
            }
        }
        api.respond(status, writer.bytes)
    }

    private func metrics(_ engine: Engine, _ log: AccessLog) async -> Reply {
        var text = MetricsText()
        text.write(await engine.metrics(), engine.status.value, states: engine.stateViews, droppedLogLines: log.droppedLines, bufferedBytes: engine.budget.usedBytes)
        return Reply(status: 200, body: text.bytes, contentType: "text/plain; version=0.0.4; charset=utf-8")
    }

    private func reloaded() async -> Reply {
        var writer = JSONWriter()
        switch await reload("/admin/reload") {
        case .swapped(let changes):
            writer.object {
                $0.member("status", "ok")
                $0.key("changes")
                $0.array { for change in changes { $0.string(change) } }
            }
            return Reply(status: 200, body: writer.bytes)
        case .kept(let errors, _):
            writer.object {
                APIError(400, "the policy has errors; the running one stays", code: "invalid_policy").write(to: &$0)
                $0.key("report")
                $0.array { for error in errors { $0.string(error) } }
            }
            return Reply(status: 400, body: writer.bytes)
        }
    }

    private func checked(_ text: [UInt8]) -> Reply {
        let checked = CheckedPolicy(report: check(text))
        var writer = JSONWriter()
        checked.write(to: &writer)
        return Reply(status: checked.status, body: writer.bytes)
    }

    private struct Reply: Sendable {
        var status: Int
        var body: [UInt8]
        var contentType = "application/json"
    }

    /// Answers when `reply` is ready; the exchange itself stays on its event loop.
    private func answer(_ api: APIExchange, _ reply: @escaping @Sendable () async -> Reply) {
        let bound = NIOLoopBound(api, eventLoop: api.exchange.eventLoop)
        Task {
            let reply = await reply()
            bound.eventLoop.execute { bound.value.respond(reply.status, reply.body, contentType: reply.contentType) }
        }
    }
}
