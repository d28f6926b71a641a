import ArgumentParser
import Engine
import Gateway
import RoutingPolicy

struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Holds a policy file against its own 'tests:'.",
        discussion: """
            A random order must hold in each of 200 draws. With --live each request is sent through a real server on a free port of 127.0.0.1; what is down \
            refuses its connections.
            Exit status: 0 all hold, 1 one fails or the file is bad, 2 bad usage.
            """)

    @OptionGroup var policy: PolicyArgument

    @Flag(help: "Sends each request for real. Tests that may reach an upstream are left out.")
    var live = false

    @Flag(help: "With --live: sends those that may reach an upstream too. They may cost money.")
    var all = false

    func validate() throws {
        if all, !live { throw ValidationError("'--all' goes with '--live' alone: without it no upstream is asked anyway") }
    }

    func run() async throws {
        let policy = try PolicyFile.policy(policy.path, orExit: 1)
        var report = TestReport(path: self.policy.path)
        if live {
            let stage = try LiveStage()
            for test in policy.tests { report.add(test, try await stage.outcome(of: test, under: policy, reachesUpstreams: all)) }
            await stage.close()
        } else {
            let snapshot = Snapshot.provision(policy, over: nil, at: 0)
            for test in policy.tests { report.add(test, .judged(ExpectationTrial(test, in: snapshot).verdict())) }
        }
        report.finish()
        if report.failures > 0 { throw ExitCode(1) }
    }
}

/// A report as test runners write it: a line for each test as soon as it is known, and what is wrong below.
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
            Console.out("  see why   \(test.explainCommand(path))")
        }
    }

    func finish() {
        func tests(_ number: Int) -> String { "\(number) test\(number == 1 ? "" : "s")" }
        guard count > 0 else { return Console.out("\(path) has no 'tests:'") }
        let held = count - skipped - failures
        var words = ["\(held) of \(tests(count)) hold\(held == 1 ? "s" : "")"]
        if failures > 0 { words.append("\(failures) fail\(failures == 1 ? "s" : "")") }
        if skipped > 0 { words.append("\(skipped) skipped") }
        Console.out(words.joined(separator: ", "))
    }
}

extension RoutingExpectation {
    /// Shows the plan that the test judges.
    func explainCommand(_ path: String) -> String {
        "llm-router explain --policy \(ShellWord(path)) --test \(ShellWord(name))"
    }
}
