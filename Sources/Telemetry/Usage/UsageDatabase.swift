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

    /// The time for which rows are kept: more than a year in a file, and the longest period of a budget in memory.
    private static let lifetimes = (file: 400 * 86_400, memory: 32 * 86_400)

    private let lifetime: Int

    /// Opens the database, and brings its schema up to date.
    ///
    /// - Parameter path: nil keeps it in memory.
    init(_ path: String?) throws(SQLiteConnection.Failure) {
        lifetime = path == nil ? Self.lifetimes.memory : Self.lifetimes.file
        connection = try SQLiteConnection(path ?? ":memory:")
        // With a write-ahead log, a commit waits for no disk, and a crash of the process loses nothing that was
        // committed. A crash of the machine may lose the last seconds. Source:
        // https://sqlite.org/pragma.html#pragma_synchronous
        try connection.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
        let version = try Self.version(connection)
        for (index, step) in Self.migrations.enumerated().dropFirst(version) {
            try connection.run("BEGIN IMMEDIATE; \(step) PRAGMA user_version = \(index + 1); COMMIT;")
        }
    }

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
        guard version <= migrations.count else {
            throw SQLiteConnection.Failure(
                code: 0, description: "it was written by a newer version of llm-router, whose format \(version) this one doesn't know")
        }
        return version
    }

    /// Adds amounts to the table, all of them or none, and removes rows that are too old.
    func add(_ rows: [UsageRow], now: Int) throws(SQLiteConnection.Failure) {
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
            try connection.run("DELETE FROM usage WHERE hour < ?", with: [[.integer(now - lifetime)]])
            try connection.run("COMMIT")
        } catch {
            try? connection.run("ROLLBACK")
            throw error
        }
    }

    /// What a key has spent since a time, in seconds since 1970.
    func spent(by key: String, since time: Int) throws(SQLiteConnection.Failure) -> Spending {
        let query = "SELECT total(dollars), sum(prompt_tokens + completion_tokens) FROM usage WHERE key = ? AND hour >= ?"
        return try connection.rows(of: query, [.text(key), .integer(time)]) {
            Spending(dollars: $0.real(0), tokens: $0.integer(1))
        }.first ?? Spending()
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
                """, [.integer(query.since ?? .min)]
        ) { row in
            UsageRow(
                place: UsageRow.Place(hour: row.integer(0), key: row.text(1), provider: row.text(2), model: row.text(3)),
                amount: UsageRow.Amount(
                    requests: row.integer(4), promptTokens: row.integer(5), completionTokens: row.integer(6), dollars: row.real(7),
                    unpriced: row.integer(8)))
        }
    }
}
