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
