import ArgumentParser
import Engine
import Gateway
import RoutingPolicy

/// A policy file, read for a command that serves nothing.
enum PolicyFile {
    static func report(_ path: String) -> PolicyReport {
        PolicyLoader(plugins: Builtins.plugins, source: SystemPolicySource()).load(path: path)
    }

    /// Of a text that no file holds, its tests included.
    static func report(posted text: [UInt8]) -> PolicyReport {
        let report = PolicyLoader(plugins: Builtins.plugins, source: PostedPolicySource(text: text)).load(path: PostedPolicySource.name)
        guard let policy = report.policy else { return report }
        return report.adding(
            ExpectationTrial.issues(of: policy) { _ in
                "POST the request to /admin/explain once this policy serves, or run 'llm-router test' on the file"
            })
    }

    /// The policy, or the report on standard error and the exit code. Warnings are `check`'s to tell.
    static func policy(_ path: String, orExit code: Int32) throws -> RoutingPolicy {
        let report = report(path)
        guard let policy = report.policy else {
            Console.error(report.rendered())
            Console.error("llm-router: mend the file, and check it with 'llm-router check \(ShellWord(path))'")
            throw ExitCode(code)
        }
        return policy
    }

    /// A file that isn't a policy. A problem is bad usage.
    static func bytes(_ path: String) throws -> [UInt8] {
        let limit = 64 << 20
        do throws(PolicySourceError) {
            return try SystemPolicySource().read(path, limit: limit)
        } catch {
            let words =
                switch error {
                case .notFound: "does not exist"
                case .tooLarge: "is larger than \(limit >> 20) MiB"
                case .unreadable(let reason): reason
                }
            throw ValidationError("file '\(path)' \(words); check the path")
        }
    }
}

/// A text as a shell takes it for one word.
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
