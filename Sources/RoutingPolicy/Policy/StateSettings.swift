/// `state:`: where the router keeps what must outlive it.
package struct StateSettings: Sendable, Equatable, OptionHolder {
    /// The absolute path of the SQLite database with the usage of the keys; nil: it is kept in memory.
    package var file: String?

    package init() {}
}
