import Codecs
import ProviderKit

extension ProviderConformance {
    /// What refusals mean, and what a provider says of itself.
    static let failureChecks: [Check] = [
        anyFailure("a refusal keeps its status") { $1.status == $0 ? nil : "it becomes \($1.status.map(String.init) ?? "nil")" },
        anyFailure("a refusal has a message") { $1.message.isEmpty ? "it has none" : nil },
        anyFailure("a failed server is not the client's mistake") { $0 >= 500 && $1.failure == .clientError ? "it is" : nil },
        anyFailure("a refusal is not the router's own failure") {
            [.routerLimit, .cancelled].contains($1.failure) ? "it is \($1.failure)" : nil
        },
        plain("a refused key is the provider's refusal", [401, 403], .providerRejected),
        plain("a limit is a limit", [429], .rateLimited),
        plain("a missing model is a missing model", [404], .notFound),
        plain("a failed server is the upstream's error", [500, 502, 503, 504], .upstreamError),
        Check("a wait in 'retry-after' is read") { suite in
            let wait = suite.provider.failure(
                head: UpstreamHead(status: 429, fields: [HTTPField("retry-after", "7")]), body: [UInt8]().span.bytes
            ).retryAfter
            return wait == .seconds(7) ? [] : ["it is \(wait.map { "\($0)" } ?? "missing")"]
        },
        Check("a recorded refusal has its class") { suite in
            suite.failures.compactMap { failure in
                let found = suite.provider.failure(head: failure.head, body: failure.body.span.bytes).failure
                return found == failure.failure ? nil : "'\(failure.name)' is \(found)"
            }
        },
        Check("a recorded refusal has its wait") { suite in
            suite.failures.compactMap { failure in
                let found = suite.provider.failure(head: failure.head, body: failure.body.span.bytes).retryAfter
                return found == failure.retryAfter ? nil : "'\(failure.name)' has \(found.map { "\($0)" } ?? "none")"
            }
        },
        Check("the message of a refusal shows no secret") { suite in
            let shown = suite.failures.first { failure in
                let error = suite.provider.failure(head: failure.head, body: failure.body.span.bytes)
                return suite.provider.secrets.contains { "\(error)".contains($0.reveal()) }
            }
            return shown.map { ["that of '\($0.name)' does"] } ?? []
        },
    ]

    static let providerChecks: [Check] = [
        Check("a provider serves chat") { $0.provider.formats(for: .chat, model: model).isEmpty ? ["it doesn't"] : [] },
        Check("a provider names each format once") { suite in
            let formats = suite.provider.formats(for: .chat, model: model)
            return Set(formats).count == formats.count ? [] : ["they are \(formats.map(\.name))"]
        },
        Check("each secret of the authentication is masked") { suite in
            let secrets = suite.provider.secrets.map { $0.reveal() }
            let missing = suite.provider.authentication.secrets.count { value in !secrets.contains { value.reveal().contains($0) } }
            return missing == 0 ? [] : ["\(missing) of them aren't"]
        },
        Check("a credential is a secret") { suite in
            let credentials = suite.provider.authentication.credentials.compactMap { credential in
                if case .field(let field) = credential { field } else { nil }
            }
            let names = ["authorization", "x-api-key", "api-key", "x-goog-api-key"]
            let plain = (credentials + suite.provider.authentication.fields).first { field in
                if case .plain = field.value { names.contains(field.name.lowercased()) } else { false }
            }
            return plain.map { ["'\($0.name)' isn't"] } ?? []
        },
    ]

    private static let bodies: [[UInt8]] = [
        [], Array("<html>busy</html>".utf8), Array(#"{"error":{"message":"no"}}"#.utf8), Array(#"{"error":"#.utf8), [0xFF, 0x00],
        Array(#"[{"error":{"code":"x","message":["#.utf8), Array(repeating: ASCII.openBracket, count: 2000),
    ]

    /// A check of each status from 300 on without a body, and of some of them with bodies of any kind.
    private static func anyFailure(
        _ name: String, _ find: @escaping @Sendable (_ status: Int, _ error: ProviderError) -> String?
    ) -> Check {
        Check(name) { suite in
            (300..<600).flatMap { status in
                (status % 17 == 0 ? bodies : [[]]).compactMap { body in
                    find(status, suite.provider.failure(head: UpstreamHead(status: status), body: body.span.bytes))
                }.prefix(1).map { "with the status \(status), \($0)" }
            }
        }
    }

    /// A check of statuses whose body says nothing.
    private static func plain(_ name: String, _ statuses: [Int], _ failure: FailureClass) -> Check {
        Check(name) { suite in
            statuses.compactMap { status in
                let found = suite.provider.failure(head: UpstreamHead(status: status), body: [UInt8]().span.bytes).failure
                return found == failure ? nil : "\(status) is \(found)"
            }
        }
    }
}
