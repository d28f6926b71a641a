import Glibc
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
        for _ in 0..<20_000 { line.withUnsafeBytes { writer.write($0) } }
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
        for line in ["one", "two"] { Array(line.utf8).withUnsafeBytes { writer.write($0) } }
        writer.close(within: 1000)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(ends[0], &bytes, bytes.count)
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "one\ntwo\n")
        _ = Glibc.close(ends[0])
        _ = Glibc.close(ends[1])
    }
}
