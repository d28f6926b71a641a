import ConfigTree
import ProviderKit

/// Every `failover`.
extension PolicySchema {
    /// A client that went away is answered by nobody, so nothing can follow.
    static let failures = FailureClass.allCases.filter { $0 != .cancelled }
    static let statuses = 400...599
    /// What all statuses are called among the options.
    static let statusOption = "400 to 599"

    mutating func readFailover(_ fields: inout FieldReader) -> Failover {
        section("failover", of: &fields, naming: { Int($0) == nil ? $0 : PolicySchema.statusOption }) { fields, _ in
            let actions = Failover.Action.allCases.map(\.rawValue)
            var failover = Failover()
            for failure in PolicySchema.failures {
                failover.classes[failure] = fields.word(failure.rawValue, of: actions).flatMap(Failover.Action.init)
            }
            for key in fields.presentKeys where Int(key) != nil || key == PolicySchema.statusOption {
                let action = fields.word(key, of: actions).flatMap(Failover.Action.init)
                if let status = Int(key), "\(status)" == key, PolicySchema.statuses.contains(status) {
                    failover.statuses[status] = action
                } else if let entry = fields.entry(key) {
                    let hint = "write statuses from 400 to 599, each by itself: '{ 401: stop, 403: stop }'"
                    fields.report(ConfigIssue(at: entry.key.position, "'\(abbreviated(key))' is no status of a failure", hint: hint))
                }
            }
            fields.declare(PolicySchema.statusOption, as: .word(actions))
            return failover
        } ?? Failover()
    }
}
