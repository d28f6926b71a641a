import Engine
import Logging
import RoutingPolicy
import Telemetry

/// Where the logs go, and how much the operator is told, as a policy says it. A reload opens the new file before it
/// closes the old one.
struct LogOutput: PolicyResource {
    let log: AccessLog
    let threshold: MessageThreshold

    /// Opens the access log at the start.
    static func open(_ settings: AccessLogSettings, _ logger: Logger) throws(ResourceFailure) -> AccessLog {
        let output = Console.output
        do throws(LogFileFailure) {
            return try AccessLog(settings, output: AccessLog.Output(isTerminal: output.isTerminal, hasColors: output.hasColors)) {
                path, failure in
                let place = path ?? "standard output"
                guard let failure else {
                    return logger.notice("the access log is written again", metadata: ["file": "\(place)"])
                }
                logger.error(
                    "the access log can't be written; its lines are dropped, or stay in the file from before a rename",
                    metadata: [
                        "file": "\(place)", "reason": "\(failure)",
                        "next": "free space on its disk and check its folder; llm_router_log_dropped_total counts the lines",
                    ])
            }
        } catch {
            throw failure(error, settings)
        }
    }

    func prepare(_ policy: RoutingPolicy) async throws -> any PreparedResource {
        do throws(LogFileFailure) {
            return Prepared(output: self, target: try log.prepare(policy.log.access), policy: policy)
        } catch {
            throw Self.failure(error, policy.log.access)
        }
    }

    private static func failure(_ failure: LogFileFailure, _ settings: AccessLogSettings) -> ResourceFailure {
        ResourceFailure(
            description:
                "can't write the access log '\(settings.file ?? "")': \(failure); make the file writable or change 'log.access.file'")
    }

    private struct Prepared: PreparedResource {
        let output: LogOutput
        let target: AccessLog.Target
        let policy: RoutingPolicy

        func commit() async {
            output.log.commit(target)
            output.threshold.follow(policy)
        }

        func undo() async { output.log.undo(target) }
    }
}
