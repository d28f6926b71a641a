import Engine
import HTTPWire
package import RoutingPolicy
import Synchronization

/// The access log: one line for each request. All event loops share it, and a reload replaces its target.
package final class AccessLog: Sendable {
    /// Standard output, as far as it matters for the form of the lines.
    package struct Output: Sendable {
        var isTerminal: Bool
        var hasColors: Bool

        package init(isTerminal: Bool = false, hasColors: Bool = false) { (self.isTerminal, self.hasColors) = (isTerminal, hasColors) }
    }

    /// What a policy makes of the log.
    package final class Target: Sendable {
        let settings: AccessLogSettings
        let isText: Bool
        let hasColors: Bool
        let lines: LineWriter

        fileprivate init(_ settings: AccessLogSettings, _ output: Output, _ lines: LineWriter) {
            self.settings = settings
            self.lines = lines
            let isTerminal = settings.file == nil && output.isTerminal
            isText = settings.format.map { $0 == .text } ?? isTerminal
            hasColors = isText && isTerminal && output.hasColors
        }

        /// Whether the log gets a line for the request: a failed or slow one does, and of the others a share.
        func takes(_ request: borrowing RequestRecord, using random: inout SplitMix64) -> Bool {
            if settings.sample >= 1 || request.hasFailed || request.duration >= settings.slow { return true }
            return settings.sample > 0 && Double.random(in: 0..<1, using: &random) < settings.sample
        }
    }

    private let output: Output
    private let dropped = LineCounter()
    private let report: @Sendable (String?, LogFileFailure?) -> Void
    private let stored: Mutex<Target>
    private let storedGeneration = Atomic(0)

    /// Opens the log.
    ///
    /// - Parameter report: called on another thread when lines can't be written, once, and without a failure when they
    ///   can again. It gets the file's path; nil for standard output.
    package init(
        _ settings: AccessLogSettings, output: Output = Output(),
        report: @escaping @Sendable (String?, LogFileFailure?) -> Void = { _, _ in }
    ) throws(LogFileFailure) {
        (self.output, self.report) = (output, report)
        let lines = try Self.open(settings.file, dropped, report)
        stored = Mutex(Target(settings, output, lines))
    }

    private static func open(
        _ path: String?, _ dropped: LineCounter, _ report: @escaping @Sendable (String?, LogFileFailure?) -> Void
    ) throws(LogFileFailure) -> LineWriter {
        let file = if let path { try LogFile(path: path) } else { LogFile(descriptor: 1) }
        return LineWriter(file, dropped: dropped) { report(path, $0) }
    }

    /// The dropped lines since the start.
    package var droppedLines: Int { dropped.count }

    /// Changes with each `commit`.
    var generation: Int { storedGeneration.load(ordering: .acquiring) }

    var current: Target { stored.withLock { $0 } }

    // MARK: Reloads

    /// Opens what the settings name, unless it is open already. `commit` or `undo` must follow.
    package func prepare(_ settings: AccessLogSettings) throws(LogFileFailure) -> Target {
        let running = current
        let lines = settings.file == running.settings.file ? running.lines : try Self.open(settings.file, dropped, report)
        return Target(settings, output, lines)
    }

    package func commit(_ target: Target) {
        let old = stored.withLock { stored in
            defer { stored = target }
            return stored
        }
        storedGeneration.add(1, ordering: .releasing)
        if old.lines !== target.lines { old.lines.close(within: 0) }
    }

    package func undo(_ target: Target) {
        if target.lines !== current.lines { target.lines.close(within: 0) }
    }

    /// Opens the file anew, if the log is a file.
    package func reopen() { current.lines.reopen() }

    /// Writes the queued lines and ends the log. Waits for at most `milliseconds`.
    package func close(within milliseconds: Int) { current.lines.close(within: milliseconds) }

    func countDropped() { dropped.add(1) }
}
