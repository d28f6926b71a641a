internal import CSQLite
import Glibc

/// A connection to an SQLite database.
final class SQLiteConnection: @unchecked Sendable {  // used by one thread at a time, under the lock of `UsageBook`
    enum Value {
        case integer(Int)
        case real(Double)
        case text(String)
    }

    /// A failure, in SQLite's words.
    struct Failure: Error, CustomStringConvertible {
        let code: Int32
        let description: String

        init(code: Int32, description: String) { (self.code, self.description) = (code, description) }

        /// A file that is no database of the router, or no longer a whole one.
        init(damage: String) { self.init(code: SQLITE_CORRUPT, description: damage) }

        /// Whether the file is no database, or a damaged one. Source: https://sqlite.org/rescode.html
        var isCorrupt: Bool { code == SQLITE_CORRUPT || code == SQLITE_NOTADB }
    }

    private let handle: OpaquePointer
    /// Holds the lock; -1: there is none.
    private let lock: Int32
    /// Whether no other connection has the lock.
    let isAlone: Bool

    /// Opens a database.
    ///
    /// - Parameters:
    ///   - path: `:memory:` is a database that nobody else sees.
    ///   - isReadOnly: if false, a file that doesn't exist is created.
    ///   - isLocked: whether the connection tells others that it uses the file, and asks whether they do. It goes on in
    ///     any case.
    init(_ path: String, isReadOnly: Bool = false, isLocked: Bool = false) throws(Failure) {
        // Before SQLite opens the file, and until after it has closed it: to close any descriptor of a file ends
        // SQLite's own locks. Source: https://sqlite.org/howtocorrupt.html, section 2.2
        (lock, isAlone) = isLocked ? Self.lock(path) : (-1, true)
        var handle: OpaquePointer?
        let access = isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let code = sqlite3_open_v2(path, &handle, access | SQLITE_OPEN_NOMUTEX, nil)
        guard let handle else {
            if lock >= 0 { close(lock) }
            throw Failure(code: code, description: String(cString: sqlite3_errstr(code)))
        }
        self.handle = handle
        guard code == SQLITE_OK else { throw failure(code) }
        sqlite3_extended_result_codes(handle, 0)
        sqlite3_busy_timeout(handle, 500)
    }

    deinit {
        sqlite3_close_v2(handle)
        if lock >= 0 { close(lock) }
    }

    /// Takes a lock that SQLite knows nothing of.
    private static func lock(_ path: String) -> (descriptor: Int32, isAlone: Bool) {
        var descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 { descriptor = open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { return (-1, true) }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return (descriptor, true) }
        let isTaken = errno == EWOULDBLOCK
        close(descriptor)
        return (-1, !isTaken)
    }

    var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") == 1 }

    private func failure(_ code: Int32) -> Failure { Failure(code: code, description: String(cString: sqlite3_errmsg(handle))) }

    /// Runs statements without parameters and results.
    func run(_ statements: String) throws(Failure) {
        let code = sqlite3_exec(handle, statements, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    /// Runs a statement once for each row of parameters.
    func run(_ statement: String, with rows: [[Value]]) throws(Failure) {
        let prepared = try Statement(statement, handle)
        for row in rows {
            try prepared.bind(row)
            while try prepared.step() {}
        }
    }

    /// The rows that a query selects.
    func rows<Row>(of query: String, _ parameters: [Value] = [], read: (borrowing Statement) -> Row) throws(Failure) -> [Row] {
        let prepared = try Statement(query, handle)
        try prepared.bind(parameters)
        var rows: [Row] = []
        while try prepared.step() { rows.append(read(prepared)) }
        return rows
    }

    /// A prepared statement.
    struct Statement: ~Copyable {
        private let statement: OpaquePointer
        private let handle: OpaquePointer

        fileprivate init(_ text: String, _ handle: OpaquePointer) throws(Failure) {
            var statement: OpaquePointer?
            let code = sqlite3_prepare_v2(handle, text, -1, &statement, nil)
            guard code == SQLITE_OK, let statement else {
                throw Failure(code: code, description: String(cString: sqlite3_errmsg(handle)))
            }
            self.statement = statement
            self.handle = handle
        }

        deinit { sqlite3_finalize(statement) }

        fileprivate func bind(_ values: [Value]) throws(Failure) {
            sqlite3_reset(statement)
            for (index, value) in values.enumerated() {
                let position = Int32(index + 1)
                let code =
                    switch value {
                    case .integer(let number): sqlite3_bind_int64(statement, position, Int64(number))
                    case .real(let number): sqlite3_bind_double(statement, position, number)
                    case .text(let text): sqlite3_bind_text(statement, position, text, -1, Self.copies)
                    }
                guard code == SQLITE_OK else { throw Failure(code: code, description: String(cString: sqlite3_errmsg(handle))) }
            }
        }

        /// SQLITE_TRANSIENT, a macro that Swift doesn't import: SQLite copies the text.
        private static let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

        /// Returns whether there is a row.
        fileprivate func step() throws(Failure) -> Bool {
            let code = sqlite3_step(statement)
            if code == SQLITE_ROW { return true }
            guard code == SQLITE_DONE else { throw Failure(code: code, description: String(cString: sqlite3_errmsg(handle))) }
            return false
        }

        func integer(_ column: Int32) -> Int { Int(sqlite3_column_int64(statement, column)) }
        func real(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }
        func text(_ column: Int32) -> String { sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "" }
    }
}
