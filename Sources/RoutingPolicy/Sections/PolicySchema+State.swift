extension StateSettings {
    static let section = OptionSection<StateSettings>(
        "state", "where the usage of keys and what is left of their budgets are kept",
        [
            Option(
                "file", \.file, .file, .words("in memory, which a restart forgets"),
                help: "a database that the router creates; its folder must exist and be writable")
        ])
}
