/// What each option is for, in a line: in `help config`, and as the hint of an error that has no better one.
enum OptionTexts {
    /// What counts where an option is absent.
    enum Standard {
        /// As the file would write it.
        case value(String)
        case required
        /// In words: `none`, `no limit`.
        case absent(String)
        /// Its text says it, or nothing needs to be said.
        case unsaid

        var shown: String? {
            switch self {
            case .value(let text): "default \(text)"
            case .required: "required"
            case .absent(let words): "default: \(words)"
            case .unsaid: nil
            }
        }
    }

    struct Line {
        var key: String
        var text: String
        var standard: Standard

        init(_ key: String, _ text: String, _ standard: Standard = .unsaid) {
            self.key = key
            self.text = text
            self.standard = standard
        }
    }

    struct Section {
        /// As among the schema's options; all plugins' are `providers`.
        var name: String
        /// Where it stands.
        var place: String
        var lines: [Line]
    }

    /// In the order in which a person reads a policy.
    static let sections =
        [top, server, defaults] + shared + [
            providers, models, price, routes, step, select, maxPrice, fallbackOn, hedge, keys, keyDefaults, tests, request, expect,
        ]

    static func line(_ section: String, _ key: String) -> Line? {
        lines[section.hasPrefix("providers.") ? "providers" : section]?[key]
    }

    private static let lines = Dictionary(
        sections.map { section in
            (section.name, Dictionary(section.lines.map { ($0.key, $0) }) { first, _ in first })
        }
    ) { first, _ in first }

    private static let top = Section(
        name: "", place: "the top of the file",
        lines: [
            Line("version", "the language's version", .required),
            Line(
                "listen", "where clients connect: HOST:PORT, :PORT or unix:PATH; beyond this machine 'keys' are needed",
                .value("127.0.0.1:8080")),
            Line("server", "towards the clients"),
            Line("defaults", "what counts where nothing nearer says otherwise"),
            Line("providers", "accounts at one place each, by name"),
            Line("models", "the names that clients use"),
            Line("routes", "names that stand for several models; 'auto' is what a request gets that names no model"),
            Line("keys", "who may call; without any, whoever is on this machine"),
            Line("tests", "what routing must do with a request: for 'llm-router test' and 'check'"),
            Line("include", "more files of this language, relative to this one; mappings of one name merge by key"),
        ])

    private static let server = Section(
        name: "server", place: "towards the clients",
        lines: [
            Line("keepalive", "silence towards a streaming client before a comment is sent", .value("15s")),
            Line("write_stall", "a client that takes nothing for so long is cut off", .value("60s")),
            Line("head_timeout", "for a request's head", .value("10s")),
            Line("body_timeout", "between two reads of a request's body", .value("30s")),
            Line("max_body", "of a request", .value("32MiB")),
            Line("max_buffered", "all large events under assembly together; above it a request fails", .value("256MiB")),
            Line("drain", "after SIGTERM: running answers have so long to end", .value("30s")),
            Line("pre_stop", "after SIGTERM: not ready, still serving, for so long", .value("0s")),
        ])

    private static let defaults = Section(
        name: "defaults", place: "what counts where nothing nearer says otherwise: request > route > model > provider > defaults",
        lines: [
            Line("timeouts", "deadlines of a request and its attempts"),
            Line("retry", "further tries of the same model"),
            Line("breaker", "when a failing model rests"),
            Line("limits", "of each model that gives none of its own"),
            Line("failover", "what follows a failed attempt, where it isn't what the failure table says"),
            Line("statistics", "what 'weighted', 'fastest' and 'min_success_rate' look back on"),
            Line("max_models", "how many models of 'try' one request may be sent to", .value("4")),
            Line("max_attempts", "over retries, models, fallbacks and hedges together; one is kept for the fallback", .value("4")),
        ])
}
