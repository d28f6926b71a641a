import ArgumentParser
import Engine
import Gateway
import PolicyDrafts
import RoutingPolicy
import Telemetry

/// Reads a policy file for a command that doesn't serve it.
enum PolicyFile {
    /// The report on a policy file; `-` is standard input.
    static func report(_ path: String, _ environmentFile: EnvironmentFile.Choice, needsModels: Bool = true) -> PolicyReport {
        guard path != "-" else {
            return loader(StandardInputSource(), environmentFile).load(path: StandardInputSource.name, needsModels: needsModels)
        }
        return loader(SystemPolicySource(), environmentFile).load(path: path, needsModels: needsModels)
    }

    static func loader(_ source: some PolicySource, _ environmentFile: EnvironmentFile.Choice) -> PolicyLoader {
        PolicyLoader(
            plugins: Builtins.plugins, source: source, environmentFile: environmentFile, pluginLoader: Builtins.loader,
            pluginAdvice: KnownService.advice(for:), now: Timestamp.seconds)
    }

    /// The report on a posted policy, including its tests.
    ///
    /// - Parameters:
    ///   - variables: those that the environment lacks.
    ///   - loaded: the plugins of the running policy.
    ///   - hidden: what `<secret>` stands for, if the text is a copy of the running policy as it is shown.
    static func report(
        posted text: [UInt8], variables: [String: String], loaded: [LoadedPlugin], hidden: MaskedValues? = nil
    ) -> PolicyReport {
        let source = PostedPolicySource(text: text, variables: variables)
        let report = PolicyLoader(
            plugins: Builtins.plugins + loaded.map(\.plugin), source: source, pluginAdvice: KnownService.advice(for:),
            now: Timestamp.seconds
        ).load(path: PostedPolicySource.name, hidden: hidden)
        guard let policy = report.policy else { return report }
        return report.adding(
            ExpectationTrial.issues(of: policy) { _, _ in
                "to see the plan, run 'llm-router test' on the file, or post the request to /admin/explain after a reload"
            })
    }

    /// The policy of a file without errors. Otherwise prints the report to standard error and throws the exit code.
    /// Warnings are not printed; `check` reports them.
    static func policy(_ argument: PolicyArgument, needsModels: Bool = true, orExit code: Int32) throws -> RoutingPolicy {
        try policy(argument.path, argument.environmentFile, needsModels: needsModels, orExit: code)
    }

    static func policy(
        _ path: String, _ environmentFile: EnvironmentFile.Choice, needsModels: Bool = true, orExit code: Int32
    ) throws -> RoutingPolicy {
        let report = report(path, environmentFile, needsModels: needsModels)
        guard let policy = report.policy else {
            Console.error(report.rendered())
            Console.error("llm-router: fix the file and check it with 'llm-router check \(ShellWord(path))'")
            throw ExitCode(code)
        }
        return policy
    }

    /// The bytes of a file that is not a policy. A file that can't be read is bad usage.
    static func bytes(_ path: String) throws -> [UInt8] {
        let limit = 64 << 20
        do throws(PolicySourceError) {
            return try SystemPolicySource().read(path, limit: limit)
        } catch {
            let problem =
                switch error {
                case .notFound: "does not exist; check the path"
                case .tooLarge: "is larger than \(limit >> 20) MiB; use a smaller file"
                case .unreadable(let reason): "\(reason); check the path"
                case .tooManyOpenFiles: "can't be read: too many files are open; raise 'ulimit -n'"
                }
            throw ValidationError("file '\(path)' \(problem)")
        }
    }
}

/// A text quoted so that a shell reads it as one word.
struct ShellWord: CustomStringConvertible {
    private let text: String

    init(_ text: String) { self.text = text }

    var description: String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_./:=@%+,".utf8.contains(byte)
                }
            }
        return isPlain ? text : "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }
}
