import ConfigTree

extension LogSettings {
    static let section = OptionSection<LogSettings>(
        "log", "what the router writes about its work",
        [
            Option(section: "access", \.access, AccessLogSettings.section, help: "the access log, one line for each request"),
            Option("level", \.level, .word, help: "the least severe of the operator's messages that standard error gets"),
        ])
}

extension AccessLogSettings {
    static let section = OptionSection<AccessLogSettings>(
        "access", "the access log, one line for each request",
        [
            Option(
                "format", \.format, .word, .words("text on a terminal, otherwise json"),
                help: "a JSON object per line for programs, or columns for people"),
            Option(
                "file", takes: OptionType<String>.file.kind, .words("standard output"),
                help: "lines are appended; after a rename or SIGUSR1 the file is opened anew",
                entries: { access, _ in access.file.map { [OptionEntry("file", .text($0))] } ?? [] },
                read: { fields, schema, access in access.file = schema.readLogFile(&fields) }),
            Option("sample", \.sample, .ratio, help: "the share of successful, fast requests that are logged; all others always are"),
            Option("slow", \.slow, .wait, help: "a request that takes at least this long isn't fast"),
            Option(
                "bodies", \.bodies, .word,
                help: "of which requests the bodies are logged: prompts and responses, without the policy's secrets, 16 KiB each"),
        ])
}

extension PolicySchema {
    /// nil if the option is absent, or with an issue.
    fileprivate func readLogFile(_ fields: inout FieldReader) -> String? {
        guard let path = OptionType<String>.file.read(&fields, "file") else { return nil }
        if let problem = source.problem(writing: path) {
            fields.report(
                "file", "'\(abbreviated(path))' can't be written: \(problem)",
                hint: "name a file in a folder that exists and that the router may write to")
        }
        return path
    }
}
