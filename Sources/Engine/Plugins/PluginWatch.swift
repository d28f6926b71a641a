import Synchronization

/// Watches how long plugins that are not built in keep event loops. The router can't take an event loop back from a
/// plugin, but it can say which one has it.
package final class PluginWatch: Sendable {
    /// A method or a property of a plugin. The raw values are for messages.
    enum Hook: UInt8, CaseIterable {
        case request = 1
        case response, decoder, decode, finish, failure, repair, models, model, formats, optionalFormats, modelsRequest, nextModels
        case detailsRequest, makeProvider, canContinue, origin, authentication, secrets

        var name: String {
            switch self {
            case .request: "request(for:body:)"
            case .response: "response(to:body:)"
            case .decoder: "decoder(for:head:)"
            case .decode: "decode(_:into:)"
            case .finish: "finish(_:into:)"
            case .failure: "failure(head:body:)"
            case .repair: "repair(of:body:refusedWith:refusal:)"
            case .models: "models(from:)"
            case .model: "model(_:from:)"
            case .formats: "formats(for:model:)"
            case .optionalFormats: "optionalFormats(for:model:)"
            case .modelsRequest: "modelsRequest()"
            case .nextModels: "modelsRequest(after:)"
            case .detailsRequest: "detailsRequest(for:)"
            case .makeProvider: "makeProvider(_:)"
            case .canContinue: "canContinue"
            case .origin: "origin"
            case .authentication: "authentication"
            case .secrets: "secrets"
            }
        }
    }

    /// What one event loop runs of a plugin at this moment. The event loop writes it, and the watchdog reads it.
    final class Mark: Sendable {
        /// 0: nothing. Otherwise a number of 32 bits that differs from call to call, the owner in 24 bits, and the hook
        /// in 8.
        let running = Atomic<UInt64>(0)
        private let calls = Atomic<UInt64>(0)

        func begin(_ hook: Hook, of owner: Int) {
            let call = calls.load(ordering: .relaxed) &+ 1
            calls.store(call, ordering: .relaxed)
            running.store(call << 32 | UInt64(owner & 0xFF_FFFF) << 8 | UInt64(hook.rawValue), ordering: .relaxed)
        }

        func end() { running.store(0, ordering: .relaxed) }
    }

    /// A call of a plugin that takes long, or that has taken long.
    package struct Finding: Sendable, Equatable {
        package var plugin: String
        package var provider: String
        /// The method or the property of the plugin.
        package var hook: String
        /// The time so far, which is up to an interval of the watchdog too short.
        package var duration: Duration
        /// Whether the call has ended.
        package var isOver: Bool
    }

    /// From here on a call takes long: requests on the same event loop have waited for it.
    package static let limit = Duration.seconds(1)

    let marks: [Mark]
    private let owners = Mutex<[(plugin: String, provider: String)]>([])
    private let seen: Mutex<[Seen]>

    private struct Seen {
        var running: UInt64 = 0
        var since = ContinuousClock.now
        var isReported = false
    }

    init(loops: Int) {
        marks = (0..<loops).map { _ in Mark() }
        seen = Mutex(Array(repeating: Seen(), count: loops))
    }

    /// The number of a new owner for ``Mark/begin(_:of:)``.
    func add(plugin: String, provider: String) -> Int {
        owners.withLock {
            $0.append((plugin, provider))
            return $0.count - 1
        }
    }

    /// What is new since the last check: calls that have begun to take long, and those that have ended.
    package func check(at now: ContinuousClock.Instant) -> [Finding] {
        seen.withLock { seen in
            seen.indices.flatMap { index -> [Finding] in
                let running = marks[index].running.load(ordering: .relaxed), before = seen[index]
                if running == before.running {
                    guard running != 0, !before.isReported, now - before.since >= Self.limit else { return [] }
                    seen[index].isReported = true
                    return [finding(running, now - before.since, isOver: false)]
                }
                seen[index] = Seen(running: running, since: now)
                return before.isReported ? [finding(before.running, now - before.since, isOver: true)] : []
            }
        }
    }

    private func finding(_ running: UInt64, _ duration: Duration, isOver: Bool) -> Finding {
        let owner = owners.withLock { owners in
            let index = Int(running >> 8 & 0xFF_FFFF)
            return index < owners.count ? owners[index] : (plugin: "unknown", provider: "unknown")
        }
        let hook = Hook(rawValue: UInt8(truncatingIfNeeded: running))?.name ?? "unknown"
        return Finding(plugin: owner.plugin, provider: owner.provider, hook: hook, duration: duration, isOver: isOver)
    }
}
