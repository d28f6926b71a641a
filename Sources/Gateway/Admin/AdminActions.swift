package import Engine
package import RoutingPolicy

/// What the admin endpoints make the process do.
package struct AdminActions: Sendable {
    /// Does what SIGHUP does. `source` names the trigger in the log.
    let reload: @Sendable (_ source: String) async -> Reloader.Outcome
    /// Validates a policy file's text as a load does, without the files that it includes.
    let check: @Sendable (_ text: [UInt8]) -> PolicyReport

    package init(
        reload: @escaping @Sendable (_ source: String) async -> Reloader.Outcome,
        check: @escaping @Sendable (_ text: [UInt8]) -> PolicyReport
    ) {
        self.reload = reload
        self.check = check
    }
}
