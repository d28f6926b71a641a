import NIOCore
import Testing

@testable import HTTPWire

/// Compressed bodies that nobody asked for.
struct BodyInflaterTests {
    /// `{"text":"hello hello hello hello"}` in the three formats, made by Python's gzip and zlib.
    static let text = #"{"text":"hello hello hello hello"}"#
    static let gzip: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56, 0x2A, 0x49, 0xAD, 0x28,
        0x51, 0xB2, 0x52, 0xCA, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC0, 0x20, 0x95, 0x6A, 0x01, 0xBC, 0xC4,
        0x6B, 0xEA, 0x22, 0x00, 0x00, 0x00,
    ]
    static let zlib: [UInt8] = [
        0x78, 0xDA, 0xAB, 0x56, 0x2A, 0x49, 0xAD, 0x28, 0x51, 0xB2, 0x52, 0xCA, 0x48, 0xCD, 0xC9, 0xC9,
        0x57, 0xC0, 0x20, 0x95, 0x6A, 0x01, 0xD2, 0x20, 0x0C, 0x30,
    ]
    static let deflate: [UInt8] = [
        0xAB, 0x56, 0x2A, 0x49, 0xAD, 0x28, 0x51, 0xB2, 0x52, 0xCA, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC0,
        0x20, 0x95, 0x6A, 0x01,
    ]
    /// A mebibyte of zeros in 1,051 bytes: near deflate's highest ratio.
    static let bomb: [UInt8] =
        [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xED, 0xC1, 0x31, 0x01, 0x00, 0x00, 0x00, 0xC2, 0xA0, 0xF5, 0x4F,
            0x6D, 0x08, 0x5F, 0xA0,
        ]
        + [UInt8](repeating: 0x00, count: 1016)
        + [0x3E, 0x03, 0x1C, 0xEA, 0x38, 0xA7, 0x00, 0x00, 0x10, 0x00]

    private func inflate(_ bytes: [UInt8], mayBeBare: Bool, partBytes: Int = .max) throws -> String? {
        guard let inflater = BodyInflater(for: ByteBuffer(bytes: bytes), mayBeBare: mayBeBare) else { return nil }
        var output = ByteBuffer()
        var rest = ByteBuffer(bytes: bytes)
        while let part = rest.readSlice(length: min(partBytes, rest.readableBytes)), part.readableBytes > 0 {
            try inflater.inflate(part) { output.writeImmutableBuffer($0) }
        }
        #expect(inflater.isComplete)
        return String(buffer: output)
    }

    @Test("each format is decoded, wherever its bytes are cut", arguments: [1, 2, 7, .max])
    func formats(_ partBytes: Int) throws {
        #expect(try inflate(Self.gzip, mayBeBare: false, partBytes: partBytes) == Self.text)
        #expect(try inflate(Self.gzip + Self.gzip, mayBeBare: false, partBytes: partBytes) == Self.text + Self.text)
        #expect(try inflate(Self.zlib, mayBeBare: true, partBytes: partBytes) == Self.text)
        #expect(try inflate(Self.deflate, mayBeBare: true, partBytes: partBytes) == Self.text)
    }

    @Test("a body that isn't compressed is left as it is", arguments: ["{}", "data: x", "x^", "", "{", "KI"])
    func plain(_ text: String) throws {
        #expect(try inflate(Array(text.utf8), mayBeBare: false) == nil)
    }

    @Test("a damaged body is a fault")
    func damaged() {
        var bytes = Self.gzip
        bytes[12] ^= 0xFF
        #expect(throws: WireFault.self) { try inflate(bytes, mayBeBare: false) }
    }

    @Test("a cut-off body is not complete")
    func truncated() throws {
        let inflater = try #require(BodyInflater(for: ByteBuffer(bytes: Self.gzip), mayBeBare: false))
        try inflater.inflate(ByteBuffer(bytes: Self.gzip.dropLast(9))) { _ in }
        #expect(!inflater.isComplete)
    }

    @Test("a body that expands to more than a hundred times its size is refused after little more than a mebibyte")
    func bombs() throws {
        let inflater = try #require(BodyInflater(for: ByteBuffer(bytes: Self.bomb), mayBeBare: false))
        var output = 0
        #expect(throws: WireFault.self) {
            for _ in 0..<64 { try inflater.inflate(ByteBuffer(bytes: Self.bomb)) { output += $0.readableBytes } }
        }
        #expect(output <= 2 << 20)
    }
}
