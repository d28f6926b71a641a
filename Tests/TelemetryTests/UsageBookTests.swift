import Glibc
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Engine
@testable import Telemetry

@Suite("the book of the keys' usage", .timeLimit(.minutes(1)))
struct UsageBookTests {
    private static let hour = 1_795_950_000

    private func place(_ key: String = "k", model: String = "m", hour: Int = hour) -> UsageRow.Place {
        UsageRow.Place(hour: hour, key: key, provider: "p", model: model)
    }

    private func amount(_ dollars: Double, tokens: Int = 10) -> UsageRow.Amount {
        UsageRow.Amount(requests: 1, promptTokens: tokens, completionTokens: 1, dollars: dollars)
    }

    private func query(_ dimensions: String, since: String? = nil) throws -> UsageQuery {
        try UsageQuery(by: dimensions, since: since, now: Self.hour)
    }

    private func file(_ folder: TemporaryFolder) -> String { "\(folder.path)/state.db" }

    private func book(_ path: String?, _ log: Log = Log()) throws -> UsageBook {
        try UsageBook(path: path, logger: Logger(label: "test") { _ in log })
    }

    @Test("amounts of one place are one row, and what a key has spent counts from a time on")
    func sums() throws {
        let book = try book(nil)
        for _ in 0..<3 { book.add(amount(0.5), at: place()) }
        book.add(amount(4), at: place(hour: Self.hour - 3600))
        book.add(amount(9), at: place("other"))
        #expect(book.spent(by: "k", from: Self.hour) == Spending(dollars: 1.5, tokens: 33))
        #expect(book.spent(by: "k", from: 0).dollars == 5.5)
        let rows = try book.sums(of: query("key"))
        #expect(rows.map(\.place.key) == ["k", "other"] && rows.map(\.amount.requests) == [4, 1])
        #expect(try book.sums(of: query("hour")).map(\.place.hour) == [Self.hour - 3600, Self.hour])
        #expect(try book.sums(of: query("provider")).map(\.amount.dollars) == [14.5])
    }

    @Test("a file keeps what a closed book had, and goes on adding to it")
    func restart() throws {
        let folder = try TemporaryFolder()
        for _ in 0..<2 {
            let book = try book(file(folder))
            book.add(amount(1), at: place())
            book.close(within: 5000)
        }
        #expect(try book(file(folder)).spent(by: "k", from: 0).dollars == 2)
    }

    @Test("a file that is no database is set aside with an error, and a new one begins")
    func corrupt() throws {
        let folder = try TemporaryFolder(), log = Log()
        try folder.write("state.db", [UInt8](repeating: UInt8(ascii: "*"), count: 8192))
        let book = try book(file(folder), log)
        book.add(amount(1), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 1)
        book.close(within: 5000)
        #expect(log.messages.contains { $0.contains("damaged") })
        #expect(try self.book(file(folder)).spent(by: "k", from: 0).dollars == 1)
    }

    @Test("a file that can't be opened is an error in the log, and usage is kept in memory until it can be")
    func unusable() throws {
        let folder = try TemporaryFolder(), log = Log(), path = "\(folder.path)/later/state.db"
        let book = try book(path, log)
        book.add(amount(1), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 1)
        #expect(log.messages.contains { $0.contains("can't be opened") })
        mkdir("\(folder.path)/later", 0o755)
        defer {
            for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
            rmdir("\(folder.path)/later")
        }
        book.add(amount(2), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 3)
        #expect(try UsageBook.sums(of: query("key"), inFile: path).map(\.amount.dollars) == [3])
        book.close(within: 5000)
    }

    /// What happens to a file with some usage, of two pages.
    enum Damage: CaseIterable {
        case secondPage, end, cut, version, table

        func apply(to path: String) throws {
            var bytes = try #require(readFile(path))
            switch self {
            case .secondPage: for index in 4096..<8192 { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
            case .end: for index in bytes.count - 200..<bytes.count { bytes[index] ^= 0x5A }
            case .cut: bytes.removeLast(100)
            case .version: bytes[60] = 0xFF
            case .table: return try SQLiteConnection(path).run("DROP TABLE usage")
            }
            let file = try #require(fopen(path, "w"))
            fwrite(bytes, 1, bytes.count, file)
            fclose(file)
        }
    }

    @Test(
        "damage anywhere in a file is found when it is opened: the file is set aside, and the new one keeps what follows",
        arguments: Damage.allCases)
    func damaged(_ damage: Damage) throws {
        let folder = try TemporaryFolder(), log = Log()
        let first = try book(file(folder))
        for number in 0..<3 { first.add(amount(1), at: place("k", model: "model \(number)")) }
        first.close(within: 5000)
        try damage.apply(to: file(folder))
        let second = try book(file(folder), log)
        #expect(log.messages.contains { $0.contains("damaged") })
        second.add(amount(4), at: place())
        second.close(within: 5000)
        #expect(try book(file(folder)).spent(by: "k", from: 0).dollars == 4)
        #expect(entries(folder.path).contains { $0.hasPrefix("state.db.corrupt-") })
    }

    @Test("damage that a running router comes across sets the file aside, and nothing waits")
    func damagedLater() throws {
        let folder = try TemporaryFolder(), log = Log(), book = try book(file(folder), log)
        book.add(amount(1), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 1)
        // As a failing disk, behind SQLite's back.
        try SQLiteConnection(file(folder)).run("PRAGMA wal_checkpoint(TRUNCATE)")
        let descriptor = open(file(folder), O_WRONLY)
        let zeros = [UInt8](repeating: 0xEE, count: 4096)
        pwrite(descriptor, zeros, zeros.count, 4096)
        close(descriptor)
        try SQLiteConnection(file(folder)).run("PRAGMA user_version = 1")
        book.add(amount(2), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 2)
        #expect(log.messages.contains { $0.contains("damaged") })
        book.close(within: 5000)
        #expect(try UsageBook.sums(of: query("key"), inFile: file(folder)).map(\.amount.dollars) == [2])
    }

    @Test(
        "a file that is removed, moved, cut or emptied while a router uses it is written anew, with an error",
        arguments: ["rm", "mv", "cut", "empty"])
    func removed(_ how: String) throws {
        let folder = try TemporaryFolder(), path = file(folder), log = Log()
        let book = try book(path, log)
        book.add(amount(1), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 1)
        switch how {
        case "rm": for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
        case "mv": rename(path, path + ".old")
        case "cut": truncate(path, 100)
        default: truncate(path, 0)
        }
        book.add(amount(2), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 3)
        book.close(within: 5000)
        #expect(log.messages.count == 2, "\(log.messages)")
        #expect(try self.book(path).spent(by: "k", from: 0).dollars == 3)
    }

    @Test("a file that takes the place of the running one counts from then on, and isn't added to what ran")
    func replaced() throws {
        let folder = try TemporaryFolder(), path = file(folder), other = "\(folder.path)/other.db", log = Log()
        let backup = try book(other)
        backup.add(amount(16), at: place())
        backup.close(within: 5000)
        let book = try book(path, log)
        book.add(amount(1), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 1)
        rename(other, path)
        book.add(amount(2), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 18)
        #expect(log.messages.count == 2, "\(log.messages)")
    }

    @Test("a folder that is away for a while says nothing of the file, and nothing counts twice", arguments: [false, true])
    func folderAway(isReplaced: Bool) throws {
        let parent = try TemporaryFolder(), folder = "\(parent.path)/state", aside = "\(parent.path)/aside", log = Log()
        mkdir(folder, 0o755)
        let book = try book("\(folder)/state.db", log)
        book.add(amount(1), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 1)
        rename(folder, aside)
        if isReplaced { try parent.write("state", []) }
        book.add(amount(2), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 3)
        unlink(folder)
        rename(aside, folder)
        book.add(amount(4), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 7)
        book.close(within: 5000)
        #expect(log.messages.isEmpty, "\(log.messages)")
        #expect(try self.book("\(folder)/state.db").spent(by: "k", from: 0).dollars == 7)
    }

    @Test("a second book of a file says that it isn't alone, and adds to it")
    func two() throws {
        let folder = try TemporaryFolder(), (one, other) = (Log(), Log())
        let first = try book(file(folder), one), second = try book(file(folder), other)
        #expect(one.messages.isEmpty && other.messages.contains { $0.contains("another process") })
        first.add(amount(1), at: place())
        second.add(amount(2), at: place())
        _ = first.spent(by: "k", from: 0)
        #expect(second.spent(by: "k", from: 0).dollars == 3)
        #expect(try UsageBook.sums(of: query("key"), inFile: file(folder)).map(\.amount.dollars) == [3])
    }

    @Test("what a clock that was ahead recorded counts in no period before, and costs no more days than it made")
    func wrongClock() throws {
        let day = 86_400, today = Self.hour - Self.hour % day, database = try UsageDatabase(nil)
        let past = (0..<40).map { today - $0 * day }, ahead = [today + 2 * day, today + 500 * day]
        try database.add((past + ahead).map { UsageRow(place: place(hour: $0), amount: amount(1)) })
        #expect(try database.spent(by: "k", from: today, before: today + day).dollars == 1)
        #expect(try database.spent(by: "k", from: today, before: today + 3 * day).dollars == 2)
        try database.prune()
        // Memory keeps 32 days with usage.
        #expect(try database.sums(of: query("day")).map(\.place.hour) == past.prefix(30).reversed() + ahead)
    }

    @Test("a closed book leaves everything in the file itself")
    func checkpoint() throws {
        let folder = try TemporaryFolder(), book = try book(file(folder))
        book.add(amount(1), at: place())
        book.close(within: 5000)
        try folder.write("copy.db", #require(readFile(file(folder))))
        #expect(try UsageBook.sums(of: query("key"), inFile: "\(folder.path)/copy.db").map(\.amount.dollars) == [1])
    }

    @Test(
        "a file that may only be read stops nothing: what it has counts, and new usage waits in memory",
        .enabled(if: geteuid() != 0, "root may write every file"))
    func readOnly() throws {
        let folder = try TemporaryFolder(), log = Log()
        let first = try book(file(folder))
        first.add(amount(1), at: place())
        first.close(within: 5000)
        chmod(folder.path, 0o555)
        chmod(file(folder), 0o444)
        defer { chmod(folder.path, 0o755) }
        let book = try book(file(folder), log)
        book.add(amount(5), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 6)
        #expect(try book.sums(of: query("key,day")).map(\.amount.requests) == [2])
        #expect(log.messages.contains { $0.contains("can't be written") })
        chmod(folder.path, 0o755)
        chmod(file(folder), 0o644)
        book.close(within: 5000)
        #expect(try UsageBook.sums(of: query("key"), inFile: file(folder)).map(\.amount.dollars) == [6])
    }

    @Test("a database of a newer version is left alone")
    func newer() throws {
        let folder = try TemporaryFolder(), log = Log()
        try SQLiteConnection(file(folder)).run("PRAGMA user_version = 99")
        _ = try book(file(folder), log)
        #expect(log.messages.contains { $0.contains("can't be opened") })
        #expect(try SQLiteConnection(file(folder)).rows(of: "PRAGMA user_version") { $0.integer(0) } == [99])
    }

    @Test("amounts that can't be written wait, and are written once they can be")
    func waiting() throws {
        let folder = try TemporaryFolder(), log = Log(), book = try book(file(folder), log)
        // Another connection holds the database.
        let other = try SQLiteConnection(file(folder))
        try other.run("BEGIN EXCLUSIVE")
        book.add(amount(1), at: place())
        _ = book.spent(by: "k", from: 0)
        #expect(log.messages.contains { $0.contains("can't be written") })
        try other.run("ROLLBACK")
        #expect(book.spent(by: "k", from: 0).dollars == 1)
    }

    @Test("texts go into the database as they are")
    func texts() throws {
        let book = try book(nil), odd = "a'; DROP TABLE usage; --\u{1F}é"
        book.add(amount(1), at: place(odd, model: odd))
        #expect(try book.sums(of: query("key,model")).map(\.place.model) == [odd])
    }

    @Test("another process reads the file, also while the router writes it, and never creates one")
    func reading() throws {
        let folder = try TemporaryFolder(), book = try book(file(folder))
        book.add(amount(1), at: place())
        #expect(book.spent(by: "k", from: 0).dollars == 1)
        #expect(try UsageBook.sums(of: query("key"), inFile: file(folder)).map(\.amount.dollars) == [1])
        #expect(throws: SQLiteConnection.Failure.self) { try UsageBook.sums(of: query("key"), inFile: "\(folder.path)/none.db") }
        #expect(throws: SQLiteConnection.Failure.self) { try SQLiteConnection("\(folder.path)/none.db", isReadOnly: true) }
        _ = try SQLiteConnection("\(folder.path)/other.db").run("CREATE TABLE other (a)")
        #expect(throws: SQLiteConnection.Failure.self) { try UsageBook.sums(of: query("key"), inFile: "\(folder.path)/other.db") }
    }

    @Test("moving to another database leaves the old one complete")
    func move() throws {
        let first = try TemporaryFolder(), second = try TemporaryFolder(), book = try book(file(first))
        book.add(amount(1), at: place())
        book.move(to: file(second))
        book.add(amount(2), at: place())
        book.close(within: 5000)
        #expect(try self.book(file(first)).spent(by: "k", from: 0).dollars == 1)
        #expect(try self.book(file(second)).spent(by: "k", from: 0).dollars == 2)
    }
}

/// Keeps the messages that are logged.
private final class Log: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])

    var messages: [String] { lines.withLock { $0 } }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.message)") } }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
}
