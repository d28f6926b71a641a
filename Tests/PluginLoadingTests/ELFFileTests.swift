import TestSupport
import Testing

@testable import PluginLoading

@Suite("what a library says without being run")
struct ELFFileTests {
    @Test("a plugin has the tag of the kit that it is built for")
    func tag() throws {
        let file = try ELFFile(try EchoLibrary.bytes())
        #expect(KitTag.tags(in: file) == [KitTag.own])
    }

    @Test("the tag is a hash of 16 hexadecimal digits, and the compiler's version")
    func form() {
        #expect(KitTag.own.wholeMatch(of: /[0-9a-f]{16} swift-[-0-9A-Za-z.]+/) != nil, "\(KitTag.own)")
    }

    @Test("a file that ends too soon is cut off, wherever that is", arguments: [64, 1000, 4096, 100_000, -1])
    func cut(count: Int) throws {
        let bytes = try EchoLibrary.bytes()
        let part = Array(bytes.prefix(count < 0 ? bytes.count + count : count))
        #expect(throws: ELFFile.Problem.cutOff) { try ELFFile(part) }
    }

    @Test("a file of full length in which the linker's tables are overwritten is damaged, whatever with", arguments: [0, 0xFF] as [UInt8])
    func overwritten(byte: UInt8) throws {
        let bytes = try EchoLibrary.bytes()
        let segment = try #require(try ELFFile(bytes).segments.first { $0.type == ELFFile.Segment.dynamic })
        let page = 4096, tail = bytes.count - page
        var ranges = [segment.range, segment.range.prefix(16), tail..<bytes.count, bytes.count / 2..<bytes.count, page..<8 * page]
        // Every other page.
        var striped = bytes
        for start in stride(from: page, to: bytes.count, by: 2 * page) {
            for place in start..<min(start + page, bytes.count) { striped[place] = byte }
        }
        #expect(throws: ELFFile.Problem.self) { try ELFFile(striped) }
        ranges.append(segment.range.lowerBound + 16..<segment.range.upperBound)
        for range in ranges {
            var damaged = bytes
            for place in range { damaged[place] = byte }
            #expect(throws: ELFFile.Problem.self, "\(range)") { try ELFFile(damaged) }
        }
    }

    @Test("every library that the build makes is whole")
    func whole() throws {
        for bytes in [try EchoLibrary.bytes(), try EchoLibrary.nextBytes(), try MisbehavingLibrary.bytes()] { _ = try ELFFile(bytes) }
    }

    @Test(
        "other files are told apart",
        arguments: [
            ([0], 0x23, .notELF), ([4], 1, .foreign), ([18, 19], 3, .foreign), ([16], 2, .notLibrary),
        ] as [([Int], UInt8, ELFFile.Problem)])
    func others(offsets: [Int], byte: UInt8, problem: ELFFile.Problem) throws {
        var bytes = try EchoLibrary.bytes()
        for offset in offsets { bytes[offset] = byte }
        #expect(throws: problem) { try ELFFile(bytes) }
    }

    @Test("no bytes crash the reader")
    func anyBytes() throws {
        let bytes = Array(try EchoLibrary.bytes().prefix(4096))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var damaged = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
            for _ in 0..<8 where damaged.count > 4 {
                damaged[Int.random(in: 4..<min(damaged.count, 512), using: &generator)] = .random(in: 0...255, using: &generator)
            }
            if let file = try? ELFFile(damaged) { _ = file.notes }
        }
    }
}
