/// `log:`: what the router writes about its work.
package struct LogSettings: Sendable, Equatable, OptionHolder {
    package var access = AccessLogSettings()
    /// The least severe of the operator's messages that are written.
    package var level = Level.info

    /// How severe a message is, in ascending order. The raw values are those of swift-log.
    package enum Level: String, CaseIterable, Sendable { case info, notice, warning, error }

    package init() {}
}

/// `log.access`: the access log, one line for each request.
package struct AccessLogSettings: Sendable, Equatable, OptionHolder {
    package enum Format: String, CaseIterable, Sendable { case json, text }

    /// Of which requests the bodies are logged.
    package enum Bodies: String, CaseIterable, Sendable { case off, errors, all }

    /// nil: text if the log goes to a terminal, otherwise JSON.
    package var format: Format?
    /// An absolute path; nil: standard output.
    package var file: String?
    /// The share of successful, fast requests that are logged. Others are always logged.
    package var sample = 1.0
    /// From this duration on, a request isn't fast.
    package var slow: Duration = .seconds(5)
    package var bodies = Bodies.off

    package init() {}
}
