import Glibc
import TestSupport
import Testing

/// What is left of the usage after a kill, and what a disk that takes nothing stops.
@Suite struct UsageLossTests {
    private static let key = "client-secret-of-team"

    /// A policy with one model, whose calls cost $0.15, and the database of the folder.
    private static func policy(_ upstream: ScriptedUpstream, _ folder: TemporaryFolder) -> String {
        var policy = PolicyText(["plain": upstream], keys: ["  team: { secret: \(key), budget: { usd: 1000000, per: total } }"])
        policy.moreModels = ["  m: { provider: p-plain, price: { input: 10000, output: 10000 } }"]
        return policy.text + "state: { file: \(folder.path)/state.db }\n"
    }

    private static func upstream() throws -> ScriptedUpstream {
        let usage = #"{"prompt_tokens":10,"completion_tokens":5}"#
        return try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("yes", usage: usage)) }
    }

    /// The requests that the database of the folder has.
    private static func kept(_ folder: TemporaryFolder) throws -> Int {
        let read = try RouterCommand(["usage", "--state", "\(folder.path)/state.db", "--by", "key", "--format", "json"])
        #expect(read.exit == .code(0), "\(read.errors)")
        return try #require(read.json?["total"]?["requests"]?.int)
    }

    @Test func `a kill in the middle of traffic loses at most a second of usage, however often it happens`() throws {
        let upstream = try Self.upstream(), folder = try TemporaryFolder(), policy = Self.policy(upstream, folder)
        var before = 0
        for _ in 0..<scaled(3, soak: 50) {
            let router = try RouterProcess(policy)
            let sent = Watched(0), ends = Watched<[ContinuousClock.Instant]>([])
            for _ in 0..<4 {
                Threads.start {
                    repeat {
                        sent.update { $0 += 1 }
                    } while (try? router.chat("m", key: Self.key).status) == 200
                        && ends.update({
                            $0.append(.now)
                            return true
                        })
                }
            }
            let hasTraffic = ends.wait(until: Deadline(.seconds(30))) { ends in
                ends.first.flatMap { first in ends.last.map { $0 - first } } ?? .zero > .milliseconds(1500) ? true : nil
            }
            #expect(hasTraffic == true)
            let killed = ContinuousClock.now
            router.process.kill()
            let kept = try Self.kept(folder) - before
            #expect(kept >= ends.read { $0.count { $0 < killed - .seconds(1) } } && kept <= sent.read { $0 })
            before += kept
        }
        let router = try RouterProcess(policy)
        #expect(try router.chat("m", key: Self.key).status == 200)
        #expect(!router.standardError.contains("damaged"))
    }

    @Test func `a disk that takes nothing stops no request, and gets the usage once it has room`() throws {
        let upstream = try Self.upstream(), folder = try TemporaryFolder(), router = try RouterProcess(Self.policy(upstream, folder))
        #expect(try router.chat("m", key: Self.key).status == 200)
        func limitFiles(to bytes: String) throws {
            #expect(try ShellScript("prlimit --pid \(router.process.pid) --fsize=\(bytes):", in: folder).exit == .code(0))
        }
        // Every write to a file fails, as it does on a full disk.
        try limitFiles(to: "0")
        for _ in 0..<3 { #expect(try router.chat("m", key: Self.key).status == 200) }
        try router.waitForLog("the usage of the keys can't be written")
        #expect(try router.chat("m", key: Self.key).status == 200)
        try limitFiles(to: "unlimited")
        router.process.signal(SIGTERM)
        #expect(try router.process.waitForExit(within: .seconds(10)) == .code(0))
        #expect(try Self.kept(folder) == 5)
    }
}
