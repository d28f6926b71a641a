import Engine

/// The table of usage, in a file or in memory.
struct UsageDatabase {
    private let connection: SQLiteConnection

    /// The steps to the newest version of the schema. A database records in `user_version` how many of them it has.
    private static let migrations = [
        """
        CREATE TABLE usage (
            hour INTEGER NOT NULL, key TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
            requests INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
            dollars REAL NOT NULL, unpriced INTEGER NOT NULL,
            PRIMARY KEY (hour, key, provider, model)
        ) WITHOUT ROWID;
        """
    ]

    /// How many days with usage are kept: more than a year in a file, and the longest period of a budget in memory.
    /// They are days that have rows, so that a clock that was wrong for a while costs no more days than it made.
    private static let lifetimes = (file: 400, memory: 32)
    /// A larger file isn't searched for damage when it is opened: that takes a second for some 200 MB.
    private static let maxCheckedBytes = 64 << 20

    private let lifetime: Int

    /// Opens the database, and brings its schema up to date.
    ///
    /// - Parameter path: nil keeps it in memory.
    init(_ path: String?) throws(SQLiteConnection.Failure) {
        lifetime = path == nil ? Self.lifetimes.memory : Self.lifetimes.file
        connection = try SQLiteConnection(path ?? ":memory:", isLocked: path != nil)
        // With a write-ahead log, a commit waits for no disk, and a crash of the process loses nothing that was
        // committed. A crash of the machine may lose the last seconds. Source:
        // https://sqlite.org/pragma.html#pragma_synchronous
        try connection.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
        let version = try Self.version(connection)
        for (index, step) in Self.migrations.enumerated().dropFirst(version) {
            try connection.run("BEGIN IMMEDIATE; \(step) PRAGMA user_version = \(index + 1); COMMIT;")
        }
        if path != nil, version > 0 { try check() }
    }

    /// Throws if the file is damaged. Otherwise that would only show once the damaged part is read.
    private func check() throws(SQLiteConnection.Failure) {
        let tables = try connection.rows(of: "SELECT count(*) FROM sqlite_schema WHERE name = 'usage'") { $0.integer(0) }
        guard tables == [1] else { throw SQLiteConnection.Failure(damage: "its table of usage is missing") }
        let bytes = try connection.rows(of: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size") { $0.integer(0) }
        guard bytes.first ?? 0 <= Self.maxCheckedBytes else { return }
        let findings = try connection.rows(of: "PRAGMA quick_check(1)") { $0.text(0) }
        guard findings == ["ok"] else {
            // The first line names the database.
            throw SQLiteConnection.Failure(damage: findings.first?.split(separator: "\n").last.map(String.init) ?? "")
        }
    }

    /// Whether no other process has opened the file to write it.
    var isAlone: Bool { connection.isAlone }
    /// Whether the file may only be read.
    var isReadOnly: Bool { connection.isReadOnly }

    /// Opens the database that another process writes, only to read it.
    init(reading path: String) throws(SQLiteConnection.Failure) {
        lifetime = Self.lifetimes.file
        connection = try SQLiteConnection(path, isReadOnly: true)
        guard try Self.version(connection) == Self.migrations.count else {
            throw SQLiteConnection.Failure(code: 0, description: "it is no database of usage, or that of an older version of llm-router")
        }
    }

    /// How many of the steps the database has.
    private static func version(_ connection: SQLiteConnection) throws(SQLiteConnection.Failure) -> Int {
        let version = try connection.rows(of: "PRAGMA user_version") { $0.integer(0) }.first ?? 0
        guard version >= 0 else { throw SQLiteConnection.Failure(damage: "its version is \(version)") }
        guard version <= migrations.count else {
            throw SQLiteConnection.Failure(
                code: 0, description: "it was written by a newer version of llm-router, whose format \(version) this one doesn't know")
        }
        return version
    }

    /// Adds amounts to the table, all of them or none.
    func add(_ rows: [UsageRow]) throws(SQLiteConnection.Failure) {
        try connection.run("BEGIN IMMEDIATE")
        do throws(SQLiteConnection.Failure) {
            try connection.run(
                """
                INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                    requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens,
                    completion_tokens = completion_tokens + excluded.completion_tokens,
                    dollars = dollars + excluded.dollars, unpriced = unpriced + excluded.unpriced
                """,
                with: rows.map { row in
                    [
                        .integer(row.place.hour), .text(row.place.key), .text(row.place.provider), .text(row.place.model),
                        .integer(row.amount.requests), .integer(row.amount.promptTokens), .integer(row.amount.completionTokens),
                        .real(row.amount.dollars), .integer(row.amount.unpriced),
                    ]
                })
            try connection.run("COMMIT")
        } catch {
            try? connection.run("ROLLBACK")
            throw error
        }
    }

    /// Removes the rows that are too old.
    func prune() throws(SQLiteConnection.Failure) {
        try connection.run(
            """
            DELETE FROM usage WHERE hour < 86400 *
                (SELECT DISTINCT hour / 86400 FROM usage ORDER BY 1 DESC LIMIT 1 OFFSET \(lifetime - 1))
            """)
    }

    /// Moves everything from the write-ahead log into the file itself.
    func checkpoint() { try? connection.run("PRAGMA wal_checkpoint(TRUNCATE)") }

    /// What a key has spent from a time on and before another one, in seconds since 1970.
    func spent(by key: String, from start: Int, before end: Int?) throws(SQLiteConnection.Failure) -> Spending {
        let query = "SELECT total(dollars), sum(prompt_tokens + completion_tokens) FROM usage WHERE key = ? AND hour >= ? AND hour < ?"
        return try connection.rows(of: query, [.text(key), .integer(start), .integer(end ?? .max)]) {
            Spending(dollars: $0.real(0), tokens: $0.integer(1))
        }.first ?? Spending()
    }

    /// All rows.
    func rows() throws(SQLiteConnection.Failure) -> [UsageRow] {
        try connection.rows(of: "SELECT * FROM usage", read: UsageRow.init)
    }

    /// The sums of the rows, by time and names. A place has only what it is summed up by.
    func sums(of query: UsageQuery) throws(SQLiteConnection.Failure) -> [UsageRow] {
        let dimensions = query.dimensions
        func column(_ dimension: UsageDimension, _ expression: String, else absent: String) -> String {
            dimensions.contains(dimension) ? expression : absent
        }
        let hour = dimensions.contains(.hour) ? "hour" : column(.day, "hour - hour % 86400", else: "0")
        let columns = [
            hour, column(.key, "key", else: "''"), column(.provider, "provider", else: "''"), column(.model, "model", else: "''"),
        ]
        return try connection.rows(
            of: """
                SELECT \(columns.joined(separator: ", ")), sum(requests), sum(prompt_tokens), sum(completion_tokens), total(dollars),
                    sum(unpriced)
                FROM usage WHERE hour >= ? GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
                """, [.integer(query.since ?? .min)], read: UsageRow.init)
    }
}

extension UsageRow {
    /// Reads the columns in the order of the table.
    fileprivate init(_ row: borrowing SQLiteConnection.Statement) {
        self.init(
            place: Place(hour: row.integer(0), key: row.text(1), provider: row.text(2), model: row.text(3)),
            amount: Amount(
                requests: row.integer(4), promptTokens: row.integer(5), completionTokens: row.integer(6), dollars: row.real(7),
                unpriced: row.integer(8)))
    }
}
