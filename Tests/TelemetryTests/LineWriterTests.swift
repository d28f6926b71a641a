import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Telemetry

@Suite("the line writer of both logs")
struct LineWriterTests {
    /// Like the program, the tests ignore SIGPIPE, so that a write to a closed pipe fails instead of ending the
    /// process.
    init() { signal(SIGPIPE, SIG_IGN) }

    @Test("if nobody reads, lines are dropped and counted, and writers do not wait", .timeLimit(.minutes(1)))
    func nobodyReads() {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let writer = LineWriter(descriptor: ends[1])
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 1023)
        for _ in 0..<20_000 { line.withUnsafeBytes { _ = writer.write($0) } }
        #expect(writer.droppedLines > 0)
        _ = Glibc.close(ends[0])
        writer.close(within: 1000)
        _ = Glibc.close(ends[1])
    }

    @Test("closing the writer writes the queued lines", .timeLimit(.minutes(1)))
    func close() {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let writer = LineWriter(descriptor: ends[1])
        for line in ["one", "two"] { Array(line.utf8).withUnsafeBytes { _ = writer.write($0) } }
        writer.close(within: 1000)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(ends[0], &bytes, bytes.count)
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "one\ntwo\n")
        _ = Glibc.close(ends[0])
        _ = Glibc.close(ends[1])
    }

    @Test("a full disk drops the lines, counts them, and is reported once", .timeLimit(.minutes(1)))
    func fullDisk() throws {
        let counter = LineCounter(), reports = Mutex<[String]>([])
        let writer = LineWriter(try LogFile(path: "/dev/full"), dropped: counter) { failure in
            reports.withLock { $0.append(failure.map { "\($0)" } ?? "nil") }
        }
        for line in ["one", "two"] { Array(line.utf8).withUnsafeBytes { _ = writer.write($0) } }
        writer.close(within: 1000)
        #expect(counter.count == 2)
        #expect(reports.withLock { $0 } == ["no space left on device"])
        #expect(!writer.write(UnsafeRawBufferPointer(start: nil, count: 0)))
    }

    @Test("a file that was renamed or removed has moved, and its path is opened anew")
    func rename() throws {
        let folder = try TemporaryFolder(), path = "\(folder.path)/a.log"
        var file = try LogFile(path: path)
        defer { file.close() }
        #expect(!file.hasMoved)
        #expect(Glibc.rename(path, path + ".1") == 0)
        #expect(file.hasMoved)
        try file.reopen()
        #expect(!file.hasMoved && access(path, F_OK) == 0)
        #expect(unlink(path) == 0 && file.hasMoved)
    }

    @Test("a file that can't be opened says why")
    func refusal() {
        for (path, reason) in [("/no-such-folder/a", "no such file or directory"), ("/tmp", "is a directory")] {
            #expect { try LogFile(path: path) } throws: { "\($0)" == reason }
        }
    }
}
