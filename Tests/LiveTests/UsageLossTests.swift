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

    /// Whether this process may mount file systems, in a namespace of its own.
    private static let mayMount =
        (try? TemporaryFolder()).map { folder in
            (try? ShellScript("unshare -m mount -t tmpfs tmpfs \(folder.path)", in: folder))?.exit == .code(0)
        } ?? false

    /// Starts a router with a file system of its own on the folder, which only it sees.
    ///
    /// - Parameter prepare: a shell command that runs before the router.
    private static func router(_ upstream: ScriptedUpstream, _ folder: TemporaryFolder, _ prepare: String) throws -> RouterProcess {
        let mount = "mount -t tmpfs -o size=512k tmpfs \(folder.path) && \(prepare) && exec \"$@\""
        return try RouterProcess(policy(upstream, folder), wrapper: ["/usr/bin/env", "unshare", "-m", "sh", "-c", mount, "sh"])
    }

    @Test(.enabled(if: mayMount, "needs the right to mount"))
    func `a file system that is full stops no request, and gets the usage once it has room`() throws {
        let upstream = try Self.upstream(), folder = try TemporaryFolder()
        let router = try Self.router(upstream, folder, "true")
        #expect(try router.chat("m", key: Self.key).status == 200)
        func inside(_ script: String) throws -> ShellScript {
            try ShellScript("nsenter -t \(router.process.pid) -m sh -c '\(script)'", in: try TemporaryFolder())
        }
        #expect(try inside("head -c 1m /dev/zero > \(folder.path)/fill || true").output.contains("No space left"))
        for _ in 0..<3 { #expect(try router.chat("m", key: Self.key).status == 200) }
        try router.waitForLog("the usage of the keys can't be written")
        #expect(try router.chat("m", key: Self.key).status == 200)
        #expect(try inside("rm \(folder.path)/fill").exit == .code(0))
        try eventually("the usage is in the file") {
            try inside("\(RouterBinary.path ?? "") usage --state \(folder.path)/state.db --by key --format csv").output.contains("team,5,")
        }
    }

    @Test(.enabled(if: mayMount, "needs the right to mount"))
    func `a file that may only be read stops no request`() throws {
        let upstream = try Self.upstream(), folder = try TemporaryFolder(), written = try TemporaryFolder()
        let first = try RouterProcess(Self.policy(upstream, written))
        #expect(try first.chat("m", key: Self.key).status == 200)
        first.process.signal(SIGTERM)
        #expect(try first.process.waitForExit(within: .seconds(10)) == .code(0))
        let prepare = "cp \(written.path)/state.db \(folder.path) && mount -o remount,ro \(folder.path)"
        let router = try Self.router(upstream, folder, prepare)
        for _ in 0..<2 { #expect(try router.chat("m", key: Self.key).status == 200) }
        try router.waitForLog("the database of the keys' usage can't be opened")
    }
}
