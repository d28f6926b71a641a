import ConfigTree
import ProviderKit

extension Failover {
    static let section = OptionSection<Failover>(
        "failover",
        "may be set on defaults, a provider or a route: 'retry' the same model, call the 'next', or 'stop' and pass on the failure",
        naming: { Int($0) == nil ? $0 : statusKey }, [statusOption] + classes.map(option))

    static let statusRange = 400...599
    static let statusKey = "400 to 599"

    /// Nothing can follow a client that left.
    private static let classes = FailureClass.allCases.filter { $0 != .cancelled }
    private static let words = Action.allCases.map(\.rawValue)

    private static func option(_ failure: FailureClass) -> Option<Failover> {
        let key = failure.rawValue
        return Option(
            key, takes: .word(words), help: help(failure),
            entries: { failover, _ in failover.classes[failure].map { [OptionEntry(key, .text($0.rawValue))] } ?? [] },
            read: { fields, _, failover in failover.classes[failure] = fields.word(key, of: words).flatMap(Action.init) })
    }

    /// Stands for every status.
    private static let statusOption = Option<Failover>(
        statusKey, takes: .word(words), help: "a response with this status; takes precedence over its class",
        entries: { failover, _ in
            failover.statuses.sorted { $0.key < $1.key }.map { OptionEntry("\($0.key)", .text($0.value.rawValue)) }
        },
        read: { fields, _, failover in
            for key in fields.presentKeys where Int(key) != nil || key == statusKey {
                let action = fields.word(key, of: words).flatMap(Action.init)
                if let status = Int(key), "\(status)" == key, statusRange.contains(status) {
                    failover.statuses[status] = action
                } else if let entry = fields.entry(key) {
                    let hint = "write statuses from 400 to 599, each by itself: '{ 401: stop, 403: stop }'"
                    fields.report(ConfigIssue(at: entry.key.position, "'\(abbreviated(key))' is not the status of a failure", hint: hint))
                }
            }
        })

    private static func help(_ failure: FailureClass) -> String {
        switch failure {
        case .unreachable: "refused, unreachable, DNS, TLS or connect timeout"
        case .reset: "a fresh connection was closed before the response began"
        case .timeout: "one of 'timeouts' expired"
        case .rateLimited: "a limit that passes by itself, such as 429; a model that is loading; or a limit of this policy"
        case .upstreamError: "408, 409, 425, 5xx, or a response that is unreadable, empty, or says that it failed"
        case .notFound: "the model: 404, it does not exist, was retired, or is not for this account"
        case .providerRejected: "the account: 401, 402, 403, a bad key, no credit, a used-up quota, the region or a ban"
        case .contextOverflow: "the prompt is too long for the model"
        case .contentFilter: "the content filter refused"
        case .unsupported: "the model does not support something in this request"
        case .invalidJSON: "a response that 'valid_json' refuses"
        case .clientError: "every other 4xx"
        case .routerLimit: "a limit of the router itself: its connections, file descriptors or memory"
        case .cancelled: "the client left"
        }
    }
}
