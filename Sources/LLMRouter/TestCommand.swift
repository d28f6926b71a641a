import ArgumentParser
import Engine
import Gateway
import RoutingPolicy

struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Runs the tests of a policy file.",
        discussion: """
            A random order must hold in each of 200 draws. With --live, each request is sent through a real server on a free port of \
            127.0.0.1, and what is 'down' refuses connections. 'order' is then compared only with the models that were called.
            Exit status: 0 all tests pass, 1 a test fails or the file is bad, 2 bad usage.
            """)

    @OptionGroup var policy: PolicyArgument

    @Flag(help: "Send each request for real. Tests that may reach an upstream are skipped.")
    var live = false

    @Flag(help: "With --live: don't skip tests that may reach an upstream; such tests may cost money.")
    var all = false

    func validate() throws {
        if all, !live { throw ValidationError("'--all' requires '--live'; add '--live' or remove '--all'") }
    }

    func run() async throws {
        let policy = try PolicyFile.policy(policy, orExit: 1)
        var report = TestReport(path: self.policy.path)
        if live {
            let runner = try LiveTestRunner()
            for test in policy.tests { report.add(test, try await runner.outcome(of: test, under: policy, reachesUpstreams: all)) }
            await runner.close()
        } else {
            let snapshot = Snapshot.provision(policy, over: nil, at: 0)
            for test in policy.tests { report.add(test, .judged(ExpectationTrial(test, in: snapshot).verdict())) }
        }
        report.finish()
        if report.failures > 0 { throw ExitCode(1) }
    }
}

/// The test report in the style of TAP: one line per test as soon as its result is known, with the details of a failure
/// below it.
struct TestReport {
    enum Outcome {
        case judged(ExpectationTrial.Verdict)
        case skipped(String)
    }

    let path: String
    private(set) var failures = 0
    private var count = 0
    private var skipped = 0

    init(path: String) { self.path = path }

    mutating func add(_ test: RoutingExpectation, _ outcome: Outcome) {
        count += 1
        switch outcome {
        case .skipped(let reason):
            skipped += 1
            Console.out("ok \(count) - \(test.name) # SKIP \(reason)")
        case .judged(.holds):
            Console.out("ok \(count) - \(test.name)")
        case .judged(.fails(let mismatches)):
            failures += 1
            Console.out("not ok \(count) - \(test.name)\n  at        \(test.position)")
            for mismatch in mismatches { Console.out("  expected  \(mismatch.expected)\n  got       \(mismatch.got)") }
            Console.out("  see why   \(test.explainCommand(path, seed: mismatches.first?.seed))")
        }
    }

    func finish() {
        func tests(_ number: Int) -> String { "\(number) test\(number == 1 ? "" : "s")" }
        guard count > 0 else { return Console.out("\(path) has no tests; add them under 'tests:'") }
        var counts = ["\(count - skipped - failures) of \(tests(count)) passed"]
        if failures > 0 { counts.append("\(failures) failed") }
        if skipped > 0 { counts.append("\(skipped) skipped") }
        Console.out(counts.joined(separator: ", "))
    }
}

extension RoutingExpectation {
    /// The command that explains the plan of the test's request.
    func explainCommand(_ path: String, seed: UInt64?) -> String {
        "llm-router explain \(ShellWord(path)) --test \(ShellWord(name))" + (seed.map { " --seed \($0)" } ?? "")
    }
}
