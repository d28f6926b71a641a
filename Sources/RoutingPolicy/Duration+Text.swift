extension Duration {
    /// As routes.yaml writes it, in its largest whole unit: `250ms`, `90s`, `10m`, `1h`. Parts of a millisecond are left out.
    package var asWritten: String {
        let milliseconds = Int64((self / .milliseconds(1)).rounded(.down))
        if milliseconds % 1000 != 0 { return "\(milliseconds)ms" }
        if milliseconds == 0 || milliseconds % 60_000 != 0 { return "\(milliseconds / 1000)s" }
        return milliseconds % 3_600_000 == 0 ? "\(milliseconds / 3_600_000)h" : "\(milliseconds / 60_000)m"
    }
}
