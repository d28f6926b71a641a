import ArgumentParser
import ConfigTree
import Engine
import Gateway
import RoutingPolicy

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Reads a policy file and reports everything that is wrong with it; runs its 'tests:' too.",
        discussion: "Exit status: 0 the file is right, 1 it has errors or a test fails (with --strict: warnings too), 2 bad usage.")

    @OptionGroup var policy: PolicyArgument

    @Flag(help: "Take warnings as errors.")
    var strict = false

    func run() throws {
        var report = PolicyFile.report(policy.path)
        if let policy = report.policy {
            let path = self.policy.path
            report = report.adding(ExpectationTrial.issues(of: policy) { "see the plan: \($0.explainCommand(path))" })
        }
        Console.out(report.rendered())
        if report.policy != nil, report.hasErrors(strict: strict) {
            Console.out("\(policy.path): not ok: --strict takes warnings as errors")
        }
        guard !report.hasErrors(strict: strict) else { throw ExitCode(1) }
        if let policy = report.policy { Console.out(policy.summary(of: self.policy.path)) }
    }
}

extension RoutingPolicy {
    /// One line for a person who has just checked a file.
    func summary(of path: String) -> String {
        func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
        let off = providers.filter { $0.settings == nil }.count
        let held = tests.isEmpty ? "" : ", \(count(tests.count, "test"))"
        return
            "\(path): ok: \(count(providers.count, "provider"))\(off == 0 ? "" : " (\(off) off)"), \(count(models.count, "model")), \(count(routes.count, "route")), \(count(keys.count, "key"))\(held); digest \(digest)"
    }
}
