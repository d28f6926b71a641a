package import Engine
package import RoutingPolicy
package import Telemetry

/// The actions of the process that the admin endpoints trigger.
package struct AdminActions: Sendable {
    /// Reloads the policy, like SIGHUP. `source` names the trigger in the log.
    let reload: @Sendable (_ source: String) async -> Reloader.Outcome
    /// Validates the text of a policy file like a load, but without the files that it includes.
    let check: @Sendable (_ text: [UInt8]) -> PolicyReport
    /// What was used, as far as it is kept. Waits for the database.
    let usage: @Sendable (UsageQuery) throws -> [UsageRow]

    /// The version of the program.
    let version: String

    package init(
        version: String, reload: @escaping @Sendable (_ source: String) async -> Reloader.Outcome,
        check: @escaping @Sendable (_ text: [UInt8]) -> PolicyReport,
        usage: @escaping @Sendable (UsageQuery) throws -> [UsageRow] = { _ in [] }
    ) {
        self.version = version
        self.reload = reload
        self.check = check
        self.usage = usage
    }
}
