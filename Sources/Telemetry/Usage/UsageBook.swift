import Codecs
package import Engine
import Glibc
package import Logging
import Synchronization

/// The usage of all keys. Amounts are collected in memory, and a thread of the book's own writes them, twice a second,
/// into its database: what a `kill -9` loses is less than a second old.
///
/// A database that can't be written never stops the router: the amounts wait in memory, and an error is logged each
/// minute.
package final class UsageBook: Sendable {
    /// The thread waits this long for more amounts.
    private static let batchMicroseconds: UInt32 = 400_000
    /// Beyond this number of rows that can't be written, those of new places are dropped.
    private static let maxPendingRows = 65_536
    private static let secondsBetweenReports = 60

    private struct Pending {
        var rows: [UsageRow.Place: UsageRow.Amount] = [:]
        var isClosed = false
        var isAwake = false
    }

    private struct Store {
        var database: UsageDatabase
        var path: String?
        /// What the file was when it was last written; nil in memory, or if that can't be told.
        var file: FileState?
        /// Whether the database is in memory because the file can't be opened.
        var isStandIn = false
        var lastReport = 0
        /// The hour since 1970 in which old rows were last removed.
        var prunedHour = 0
    }

    private let pending = Mutex(Pending())
    private let store: Mutex<Store>
    private let logger: Logger
    private let wake = Semaphore()
    private let finished = Semaphore()

    /// - Parameter path: the database's file; nil keeps it in memory. While the file can't be opened, its contents are
    ///   kept in memory too, and an error is logged.
    package init(path: String?, logger: Logger) throws {
        self.logger = logger
        store = Mutex(try Self.store(path, logger))
        Thread.detach { [self] in run() }
    }

    /// Continues in another database. The running one stays if there is no memory for it.
    package func move(to path: String?) {
        store.withLock { store in
            flush(&store)
            guard store.path != path, let next = try? Self.store(path, logger) else { return }
            store = next
        }
    }

    // MARK: The file

    private static func store(_ path: String?, _ logger: Logger) throws -> Store {
        guard let path else { return Store(database: try UsageDatabase(nil)) }
        do {
            let database = try opened(path, logger)
            if !database.isAlone {
                logger.error(
                    "another process uses the database of the keys' usage too; each router enforces the budgets by itself",
                    metadata: [
                        "file": "\(path)",
                        "next":
                            "stop the other one, or give each router a file of its own and let them count together: 'state: { file: …, redis: … }'",
                    ])
            }
            return Store(database: database, path: path, file: FileState(path))
        } catch {
            logger.error(
                "the database of the keys' usage can't be opened; until it can be, usage is kept in memory, and budgets don't know what was spent before",
                metadata: [
                    "file": "\(path)", "reason": "\(error)",
                    "next": "make its folder writable for the router, or change 'state: { file: … }'",
                ])
            return Store(database: try UsageDatabase(nil), path: path, isStandIn: true)
        }
    }

    /// Opens the file. A damaged one is set aside, and a new one begins.
    private static func opened(_ path: String, _ logger: Logger) throws(SQLiteConnection.Failure) -> UsageDatabase {
        do throws(SQLiteConnection.Failure) {
            return try UsageDatabase(path)
        } catch  where error.isCorrupt {
            setAside(path, because: error, logger)
            return try UsageDatabase(path)
        }
    }

    private static func setAside(_ path: String, because error: SQLiteConnection.Failure, _ logger: Logger) {
        let copy = "\(path).corrupt-\(Timestamp.seconds())"
        let isSetAside = rename(path, copy) == 0
        for suffix in ["-wal", "-shm"] { rename(path + suffix, copy + suffix) }
        logger.error(
            "the database of the keys' usage is damaged; a new one begins, without what keys have spent before",
            metadata: ["file": "\(path)", "set_aside": "\(isSetAside ? copy : "")", "reason": "\(error)"])
    }

    /// Accesses the database. If that shows damage, the file is set aside, and the access happens in a new one.
    private func access<Result>(
        _ store: inout Store, _ body: (UsageDatabase) throws(SQLiteConnection.Failure) -> Result
    ) throws(SQLiteConnection.Failure) -> Result {
        do throws(SQLiteConnection.Failure) {
            return try body(store.database)
        } catch  where error.isCorrupt {
            guard let path = store.path, !store.isStandIn else { throw error }
            // The damaged file is closed before its name is given to another one.
            store.database = try UsageDatabase(nil)
            Self.setAside(path, because: error, logger)
            do { store = try Self.store(path, logger) } catch { store.isStandIn = true }
            return try body(store.database)
        }
    }

    /// Begins the file anew if it was removed, moved or cut while it is in use. The open database still has its rows. A
    /// file that has taken its place counts instead.
    private func restore(_ store: inout Store) {
        guard let path = store.path, let known = store.file, !store.isStandIn, let now = FileState(path) else { return }
        let change = now.change(from: known)
        guard change != .none, let memory = try? UsageDatabase(nil) else { return }
        if change == .replaced {
            logger.error(
                "another file has taken the place of the database of the keys' usage; what it holds counts from now on",
                metadata: ["file": "\(path)"])
        } else {
            let rows = (try? store.database.rows()) ?? []
            try? memory.add(rows)
            logger.error(
                "the database of the keys' usage was removed or cut while it was in use; it is written anew",
                metadata: ["file": "\(path)", "rows": "\(rows.count)"])
        }
        // Closes the old one, which removes the write-ahead log by its name.
        store = Store(database: memory, path: path, isStandIn: true)
        guard change != .replaced else { return }
        if change == .cut { rename(path, "\(path).cut-\(Timestamp.seconds())") }
        for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
    }

    /// Opens the file again if it could not be opened, or not be written, and that has changed.
    private func reopen(_ store: inout Store) {
        guard let path = store.path, store.isStandIn || store.database.isReadOnly && Glibc.access(path, W_OK) == 0 else { return }
        do throws(SQLiteConnection.Failure) {
            let rows = store.isStandIn ? try store.database.rows() : []
            if !store.isStandIn { store = Store(database: try UsageDatabase(nil), path: path, isStandIn: true) }
            let next = try Self.opened(path, logger)
            if !rows.isEmpty { try next.add(rows) }
            store = Store(database: next, path: path, file: FileState(path))
            logger.notice("the database of the keys' usage is in use again", metadata: ["file": "\(path)"])
        } catch {
            // The report says that the file can't be used.
        }
    }

    // MARK: Amounts

    package func add(_ amount: UsageRow.Amount, at place: UsageRow.Place) {
        let mustWake = pending.withLock { pending -> Bool in
            guard pending.rows.count < Self.maxPendingRows || pending.rows[place] != nil else { return false }
            pending.rows[place, default: UsageRow.Amount()] += amount
            defer { pending.isAwake = true }
            return !pending.isAwake
        }
        if mustWake { wake.signal() }
    }

    /// What a key has spent from a time on and before another one, in seconds since 1970. Waits for the database.
    ///
    /// - Parameter end: nil: until now.
    package func spent(by key: String, from start: Int, before end: Int? = nil) -> Spending {
        store.withLock { store in
            let waiting = flush(&store)
            var sum = Spending()
            do {
                sum = try access(&store) { database throws(SQLiteConnection.Failure) in
                    try database.spent(by: key, from: start, before: end)
                }
            } catch {
                logger.error(
                    "what a key has spent can't be read; its budget begins anew",
                    metadata: [
                        "key": "\(key)", "file": "\(store.path ?? "")", "reason": "\(error)", "next": "make the file readable, and restart",
                    ])
            }
            for row in waiting where row.place.key == key && row.place.hour >= start && end.map({ row.place.hour < $0 }) ?? true {
                sum += row.amount.spending
            }
            return sum
        }
    }

    /// The sums of the amounts. Waits for the database.
    package func sums(of query: UsageQuery) throws -> [UsageRow] {
        try store.withLock { store in
            let waiting = flush(&store)
            let rows = try access(&store) { database throws(SQLiteConnection.Failure) in try database.sums(of: query) }
            guard !waiting.isEmpty else { return rows }
            let memory = try UsageDatabase(nil)
            try memory.add(waiting)
            return rows.adding(try memory.sums(of: query))
        }
    }

    /// The sums of the amounts in the database of another process.
    package static func sums(of query: UsageQuery, inFile path: String) throws -> [UsageRow] {
        try UsageDatabase(reading: path).sums(of: query)
    }

    /// Writes what is collected, and ends the thread. Waits for at most `milliseconds`.
    package func close(within milliseconds: Int) {
        pending.withLock { $0.isClosed = true }
        wake.signal()
        finished.wait(milliseconds: milliseconds)
    }

    private func run() {
        while true {
            wake.wait()
            let isClosed = pending.withLock { pending in
                pending.isAwake = false
                return pending.isClosed
            }
            if !isClosed { usleep(Self.batchMicroseconds) }
            store.withLock { store in
                flush(&store)
                // So that the file alone has everything, also for who copies it.
                if isClosed { store.database.checkpoint() }
            }
            if isClosed { break }
        }
        finished.signal()
    }

    /// Writes what is collected. Returns what can't be written, and waits.
    @discardableResult
    private func flush(_ store: inout Store) -> [UsageRow] {
        restore(&store)
        reopen(&store)
        let amounts = pending.withLock { pending in
            defer { pending.rows.removeAll(keepingCapacity: true) }
            return pending.rows
        }
        guard !amounts.isEmpty else { return [] }
        let now = Timestamp.seconds(), rows = amounts.map { UsageRow(place: $0, amount: $1) }
        do throws(SQLiteConnection.Failure) {
            try access(&store) { database throws(SQLiteConnection.Failure) in try database.add(rows) }
            store.file = store.path.flatMap { FileState($0) }
            if now / 3600 != store.prunedHour {
                store.prunedHour = now / 3600
                // Nothing depends on it, and it is tried again.
                try? store.database.prune()
            }
            return []
        } catch {
            // They are written with the next ones.
            pending.withLock { pending in
                for (place, amount) in amounts { pending.rows[place, default: UsageRow.Amount()] += amount }
            }
            if now - store.lastReport >= Self.secondsBetweenReports || now < store.lastReport {
                store.lastReport = now
                logger.error(
                    "the usage of the keys can't be written; it waits in memory",
                    metadata: [
                        "file": "\(store.path ?? "")", "reason": "\(error)", "next": "free space on the disk, and make the file writable",
                    ])
            }
            return rows
        }
    }
}

/// What tells whether a file is the one that it was.
private enum FileState {
    case missing
    case present(device: UInt64, inode: UInt64, bytes: Int)

    enum Change { case none, removed, cut, replaced }

    /// nil if it can't be told, because the file's folder is away or can't be searched.
    init?(_ path: String) {
        var status = stat()
        if stat(path, &status) == 0 {
            self = .present(device: UInt64(status.st_dev), inode: UInt64(status.st_ino), bytes: Int(status.st_size))
        } else {
            guard access(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) + "/.", X_OK) == 0 else { return nil }
            self = .missing
        }
    }

    func change(from known: FileState) -> Change {
        switch (known, self) {
        case (.missing, .missing): .none
        case (.present, .missing): .removed
        case (.missing, .present): .replaced
        case (.present(let device, let inode, let bytes), .present(let newDevice, let newInode, let newBytes)):
            device != newDevice || inode != newInode ? .replaced : newBytes < bytes ? .cut : .none
        }
    }
}

extension [UsageRow] {
    /// The sums of two sums.
    fileprivate func adding(_ others: [UsageRow]) -> [UsageRow] {
        let sums = Dictionary((self + others).map { ($0.place, $0.amount) }) { one, other in
            var sum = one
            sum += other
            return sum
        }
        func sortKey(_ place: UsageRow.Place) -> (Int, String, String, String) { (place.hour, place.key, place.provider, place.model) }
        return sums.map { UsageRow(place: $0, amount: $1) }.sorted { sortKey($0.place) < sortKey($1.place) }
    }
}

extension UsageRow.Amount {
    fileprivate var spending: Spending { Spending(dollars: dollars, tokens: promptTokens &+ completionTokens) }
}

extension UsageBook {
    /// Adds what a call has cost.
    ///
    /// - Parameter model: the one that served the call, or the last one whose response the client did not get.
    func add(_ call: RunningCall, to model: ModelName) {
        let record = call.record, now = Timestamp.seconds(), isKnown = record.usage.source != .unknown
        let prompt = isKnown ? record.usage.usage.promptTokens : nil, completion = isKnown ? record.usage.usage.completionTokens : nil
        let hasPrice = record.cost != nil || record.usage.model == nil
        add(
            UsageRow.Amount(
                requests: 1, promptTokens: (prompt ?? 0) &+ record.lost.tokens, completionTokens: completion ?? 0,
                dollars: record.lost.dollars + (record.cost ?? 0), unpriced: hasPrice ? 0 : 1),
            at: UsageRow.Place(hour: now - now % 3600, key: call.request.key ?? "", provider: model.provider, model: model.model))
    }
}
