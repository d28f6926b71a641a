import ArgumentParser
import ConfigTree
import Engine
import Gateway
import RoutingPolicy
import Telemetry

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Reports every error and warning of a policy file, and runs its tests.",
        discussion: "Exit status: 0 no errors, 1 the file has errors or a test fails (with --strict: or it has warnings), 2 bad usage.")

    @OptionGroup var policy: PolicyArgument

    @Flag(help: "Treat warnings as errors.")
    var strict = false

    func run() throws {
        var report = PolicyFile.report(policy.path, policy.environmentFile)
        let certificates = CertificateCheck(report.policy ?? RoutingPolicy(), now: Timestamp.seconds())
        if let policy = report.policy {
            let path = self.policy.path
            report = report.adding(ExpectationTrial.issues(of: policy) { "to see the plan, run: \($0.explainCommand(path, seed: $1))" })
            report = report.adding(certificates.issues + StateCheck(policy).issues)
        }
        Console.out(report.rendered())
        if report.policy != nil, report.hasErrors(strict: strict) {
            Console.out("\(policy.path): not ok: --strict treats warnings as errors")
        }
        guard !report.hasErrors(strict: strict) else { throw ExitCode(1) }
        if let policy = report.policy { Console.out(policy.summary(of: self.policy.path)) }
        for line in certificates.lines { Console.out(line) }
    }
}

extension RoutingPolicy {
    /// The summary of a valid policy file, on one line.
    func summary(of path: String) -> String {
        let off = providers.filter { $0.settings == nil }.count
        var counts = [
            providers.count.counted("provider") + (off == 0 ? "" : " (\(off) off)"), models.count.counted("model"),
            routes.count.counted("route"), keys.count.counted("key"),
        ]
        if !tests.isEmpty { counts.append(tests.count.counted("test")) }
        return "\(path): ok: \(counts.joined(separator: ", ")); digest \(digest)"
    }
}

extension Int {
    /// The number with a noun behind it: `1 key`, `2 keys`.
    func counted(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
