import Codecs
import ConfigTree
import ProviderKit
import RoutingPolicy

/// `POST /admin/check`: validates a posted policy file and runs its tests. Responds with 200, or with 422 if the policy
/// has errors.
enum CheckEndpoint {
    static func serve(_ exchange: Exchange) {
        let check = exchange.gateway.admin.check
        let text = Array(exchange.server.body.readableBytesView)
        exchange.respondLater {
            let checked = CheckedPolicy(report: check(text))
            var writer = JSONWriter()
            checked.write(to: &writer)
            return Exchange.Reply(status: checked.status, body: writer.bytes)
        }
    }
}

/// Renders a policy report as JSON.
private struct CheckedPolicy {
    let report: PolicyReport

    var status: Int { report.policy == nil ? 422 : 200 }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("status", report.policy == nil ? "invalid" : "ok")
            if let policy = report.policy { $0.member("digest", policy.digest) }
            $0.key("issues")
            $0.array { issues in for issue in report.issues.prefix(Self.maxIssues) { issues.write(issue) } }
            if report.issues.count > Self.maxIssues { $0.member("issues_more", report.issues.count - Self.maxIssues) }
        }
    }

    private static let maxIssues = 500
}

extension JSONWriter {
    /// Writes an issue of a policy as an object.
    mutating func write(_ issue: ConfigIssue) {
        object {
            $0.member("severity", issue.severity.rawValue)
            $0.member("file", issue.position.file)
            $0.member("line", issue.position.line)
            $0.member("column", issue.position.column)
            $0.member("message", issue.message)
            if let hint = issue.hint { $0.member("hint", hint) }
        }
    }
}
