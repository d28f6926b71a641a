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
        var lastReport = 0
    }

    private let pending = Mutex(Pending())
    private let store: Mutex<Store>
    private let logger: Logger
    private let wake = Semaphore()
    private let finished = Semaphore()

    /// - Parameter path: the database's file; nil keeps it in memory. If the file can't be used, its contents are kept
    ///   in memory too, and an error is logged.
    package init(path: String?, logger: Logger) throws {
        self.logger = logger
        store = Mutex(try Self.store(path, logger))
        Thread.detach { [self] in run() }
    }

    /// Continues in another database. The running one stays if there is no memory for it.
    package func move(to path: String?) {
        flush()
        store.withLock { store in
            guard store.path != path, let next = try? Self.store(path, logger) else { return }
            store = next
        }
    }

    private static func store(_ path: String?, _ logger: Logger) throws -> Store {
        guard let path else { return Store(database: try UsageDatabase(nil)) }
        do {
            return Store(database: try UsageDatabase(path), path: path)
        } catch  where error.isCorrupt {
            let copy = "\(path).corrupt-\(Timestamp.seconds())"
            let isSetAside = rename(path, copy) == 0
            for suffix in ["-wal", "-shm"] { rename(path + suffix, copy + suffix) }
            logger.error(
                "the database of the keys' usage is damaged; a new one begins, and budgets begin anew",
                metadata: ["file": "\(path)", "set_aside": "\(isSetAside ? copy : "")", "reason": "\(error)"])
            if isSetAside, let database = try? UsageDatabase(path) { return Store(database: database, path: path) }
        } catch {
            logger.error(
                "the database of the keys' usage can't be opened; until a restart it is kept in memory",
                metadata: [
                    "file": "\(path)", "reason": "\(error)",
                    "next": "make its folder writable for the router, or change 'state: { file: … }'",
                ])
        }
        return Store(database: try UsageDatabase(nil), path: path)
    }

    package func add(_ amount: UsageRow.Amount, at place: UsageRow.Place) {
        let mustWake = pending.withLock { pending -> Bool in
            guard pending.rows.count < Self.maxPendingRows || pending.rows[place] != nil else { return false }
            pending.rows[place, default: UsageRow.Amount()] += amount
            defer { pending.isAwake = true }
            return !pending.isAwake
        }
        if mustWake { wake.signal() }
    }

    /// What a key has spent since a time, in seconds since 1970. Waits for the database.
    package func spent(by key: String, since time: Int) -> Spending {
        flush()
        return store.withLock { store in (try? store.database.spent(by: key, since: time)) ?? Spending() }
    }

    /// The sums of the amounts. Waits for the database.
    package func sums(of query: UsageQuery) throws -> [UsageRow] {
        flush()
        return try store.withLock { store in try store.database.sums(of: query) }
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
            flush()
            if isClosed { break }
        }
        finished.signal()
    }

    private func flush() {
        store.withLock { store in
            let rows = pending.withLock { pending in
                defer { pending.rows.removeAll(keepingCapacity: true) }
                return pending.rows
            }
            guard !rows.isEmpty else { return }
            let now = Timestamp.seconds()
            do {
                try store.database.add(rows.map { UsageRow(place: $0, amount: $1) }, now: now)
            } catch {
                // They are written with the next ones.
                pending.withLock { pending in
                    for (place, amount) in rows { pending.rows[place, default: UsageRow.Amount()] += amount }
                }
                guard now - store.lastReport >= Self.secondsBetweenReports || now < store.lastReport else { return }
                store.lastReport = now
                logger.error(
                    "the usage of the keys can't be written; it waits in memory",
                    metadata: [
                        "file": "\(store.path ?? "")", "reason": "\(error)", "next": "free space on the disk, and make the file writable",
                    ])
            }
        }
    }
}

extension UsageBook {
    /// Adds what a call has cost, if it reached a model.
    func add(_ call: RunningCall) {
        let record = call.record, usage = record.knownUsage
        guard let model = record.usage.model ?? record.lostModel else { return }
        let name = call.snapshot.metricName(ofModel: model), now = Timestamp.seconds()
        let hasPrice = record.cost != nil || record.usage.model == nil
        add(
            UsageRow.Amount(
                requests: 1, promptTokens: (usage?.promptTokens ?? 0) &+ record.lost.tokens, completionTokens: usage?.completionTokens ?? 0,
                dollars: record.spending.dollars, unpriced: hasPrice ? 0 : 1),
            at: UsageRow.Place(hour: now - now % 3600, key: call.request.key ?? "", provider: name.provider, model: name.model))
    }
}
