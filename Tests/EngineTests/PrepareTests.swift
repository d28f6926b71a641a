import HTTPWire
import Logging
import NIOPosix
import RoutingPolicy
import Synchronization
import Testing

@testable import Engine

@Suite("preparing and committing a policy")
struct PrepareTests {
    /// What the resources did, in order.
    private final class Journal: Sendable {
        private let stored = Mutex<[String]>([])

        var entries: [String] { stored.withLock { $0 } }

        func write(_ entry: String) { stored.withLock { $0.append(entry) } }
    }

    private struct Unavailable: Error {}

    private struct Resource: PolicyResource, PreparedResource {
        let name: String
        let journal: Journal
        var isAvailable = true

        func prepare(_ policy: RoutingPolicy) async throws -> any PreparedResource {
            guard isAvailable else { throw Unavailable() }
            journal.write("prepare \(name)")
            return self
        }

        func commit() async { journal.write("commit \(name)") }
        func undo() async { journal.write("undo \(name)") }
    }

    private let journal = Journal()

    private func engine() throws -> Engine {
        let running = try snapshot(
            "listen: 127.0.0.1:0\nproviders: { p: { plugin: silent }, q: { plugin: silent } }\nmodels: { a: { provider: p } }")
        return Engine(
            eventLoops: [MultiThreadedEventLoopGroup.singleton.next()], snapshot: running,
            transport: UpstreamTransport(tls: TLSContextProvider(settings: TLSSettings())), logger: Logger(label: "test"))
    }

    private func next() throws -> RoutingPolicy {
        try policy(
            "listen: 127.0.0.1:0\nserver: { max_buffered: 64MiB }\nproviders: { p: { plugin: silent } }\nmodels: { b: { provider: p } }")
    }

    @Test("nothing is in service before the commit, and all of it after")
    func commit() async throws {
        let engine = try engine(), running = engine.store.current
        let prepared = try await engine.prepare(
            next(), at: 7, with: [Resource(name: "x", journal: journal), Resource(name: "y", journal: journal)])
        #expect(engine.store.current === running && engine.status.value.reloads == 0)
        #expect(journal.entries == ["prepare x", "prepare y"])
        let draining = await engine.commit(prepared)
        #expect(journal.entries.suffix(2) == ["commit x", "commit y"])
        #expect(engine.store.current.policy.models.map(\.key) == ["b"] && engine.store.generation == running.generation + 1)
        #expect(draining == ["q": 0] && running.instances[1]?.isRetired == true && running.instances[0]?.isRetired == false)
        #expect(engine.status.value.digest == engine.store.current.policy.digest && engine.status.value.loadedAt == 7)
    }

    @Test("if a resource is not available, the earlier ones are released, and the running policy stays")
    func failure() async throws {
        let engine = try engine(), running = engine.store.current
        let resources = [
            Resource(name: "x", journal: journal), Resource(name: "y", journal: journal),
            Resource(name: "z", journal: journal, isAvailable: false), Resource(name: "never", journal: journal),
        ]
        await #expect(throws: Unavailable.self) { _ = try await engine.prepare(next(), at: 7, with: resources) }
        #expect(journal.entries == ["prepare x", "prepare y", "undo y", "undo x"])
        #expect(engine.store.current === running && running.instances.allSatisfy { $0?.isRetired == false })
    }

    @Test("an undone policy leaves nothing")
    func undo() async throws {
        let engine = try engine(), running = engine.store.current
        await (try engine.prepare(next(), at: 7, with: [Resource(name: "x", journal: journal)])).undo()
        #expect(journal.entries == ["prepare x", "undo x"] && engine.store.current === running)
    }
}
