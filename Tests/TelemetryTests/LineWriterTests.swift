import Glibc
import Testing

@testable import Telemetry

@Suite("the writer behind both logs")
struct LineWriterTests {
    /// As the program does: a reader that has gone is an error of the write, and not the process's end.
    init() { signal(SIGPIPE, SIG_IGN) }

    @Test("where nobody reads, lines are dropped and counted, and nobody waits", .timeLimit(.minutes(1)))
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

    @Test("what is queued at the close is written", .timeLimit(.minutes(1)))
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
