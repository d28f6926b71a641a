import Codecs

/// What can be read from a shared library without running it. Source: elf(5).
struct ELFFile {
    enum Problem: Error, Equatable {
        case notELF
        /// The file is shorter than it says.
        case cutOff
        /// A table that the dynamic linker would follow blindly is no such table.
        case damaged
        /// For another processor, or for another word size.
        case foreign
        /// A program or an object file.
        case notLibrary
    }

    struct Note: Equatable {
        var owner: String
        var type: UInt32
        var text: String
    }

    private let bytes: [UInt8]
    let segments: [Segment]

    struct Segment {
        static let load: UInt32 = 1
        static let dynamic: UInt32 = 2
        fileprivate static let note: UInt32 = 4

        var type: UInt32
        /// Where it is in the file.
        var range: Range<Int>
        /// Where it begins in memory.
        var address: Int
        /// Its size in memory.
        var memory: Int
    }

    var fields: Fields { Fields(bytes: bytes) }

    init(_ bytes: [UInt8]) throws(Problem) {
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { throw .notELF }
        self.bytes = bytes
        let fields = Fields(bytes: bytes)
        guard let header = Header(fields) else { throw .cutOff }
        guard header.isNative else { throw .foreign }
        guard header.type == Header.sharedObject else { throw .notLibrary }
        // The table of sections is the end of most files, so that it tells whether a file is complete.
        guard fields.contain(header.sections), fields.contain(header.segments) else { throw .cutOff }
        var segments: [Segment] = []
        for index in 0..<header.segments.count {
            let start = header.segments.offset + index * header.segments.size
            guard let type = fields.word(start), let offset = fields.long(start + 8), let size = fields.long(start + 32),
                let address = fields.long(start + 16), let memory = fields.long(start + 40), fields.contain(offset, size)
            else { throw .cutOff }
            segments.append(Segment(type: type, range: offset..<offset + size, address: address, memory: memory))
        }
        self.segments = segments
        guard hasPlausibleSections(header.sections), hasPlausibleDynamicTables else { throw .damaged }
    }

    /// Whether no entry of the table of sections is empty, but for the first, which is.
    private func hasPlausibleSections(_ table: Header.Table) -> Bool {
        let isBits = { (type: UInt32) in type != 8 }  // SHT_NOBITS takes no room in the file
        return (1..<max(table.count, 1)).allSatisfy { index in
            let start = table.offset + index * table.size
            guard let type = fields.word(start + 4), let offset = fields.long(start + 24), let size = fields.long(start + 32) else {
                return false
            }
            return type != 0 && (!isBits(type) || fields.contain(offset, size))
        }
    }

    /// The notes of all segments that have any, in order. What is no note ends a segment.
    var notes: [Note] {
        let fields = fields
        var notes: [Note] = []
        for segment in segments where segment.type == Segment.note {
            var start = segment.range.lowerBound
            while let nameCount = fields.word(start), let textCount = fields.word(start + 4), let type = fields.word(start + 8) {
                let name = start + 12, text = name + Int(nameCount).paddedToWord, end = text + Int(textCount).paddedToWord
                // The padding of the last one may be missing.
                guard text + Int(textCount) <= segment.range.upperBound else { break }
                notes.append(
                    Note(
                        owner: fields.text(name, Int(nameCount)), type: type, text: fields.text(text, Int(textCount))))
                start = end
            }
        }
        return notes
    }

    /// The header, as far as it matters here.
    fileprivate struct Header {
        struct Table {
            var offset: Int
            var size: Int
            var count: Int
        }

        static let sharedObject: UInt16 = 3

        let type: UInt16
        let isNative: Bool
        let segments: Table
        let sections: Table

        /// nil if the file is too short.
        init?(_ fields: Fields) {
            guard let type = fields.half(16), let machine = fields.half(18), let segments = fields.long(32), let sections = fields.long(40),
                let segmentSize = fields.half(54), let segmentCount = fields.half(56), let sectionSize = fields.half(58),
                let sectionCount = fields.half(60)
            else { return nil }
            self.type = type
            // 64 bits, and the lowest byte first.
            isNative = fields.bytes[4] == 2 && fields.bytes[5] == 1 && machine == Self.nativeMachine
            self.segments = Table(offset: segments, size: Int(segmentSize), count: Int(segmentCount))
            self.sections = Table(offset: sections, size: Int(sectionSize), count: Int(sectionCount))
        }

        #if arch(x86_64)
        private static let nativeMachine: UInt16 = 62
        #elseif arch(arm64)
        private static let nativeMachine: UInt16 = 183
        #else
        #error("the number of this processor in ELF files is missing")
        #endif
    }

    /// Little-endian numbers at offsets; nil beyond the end.
    struct Fields {
        let bytes: [UInt8]

        func byte(_ offset: Int) -> UInt8? { number(offset) }
        func half(_ offset: Int) -> UInt16? { number(offset) }
        func word(_ offset: Int) -> UInt32? { number(offset) }
        /// An offset or a size. nil also if no file is that long.
        func long(_ offset: Int) -> Int? { (number(offset) as UInt64?).flatMap { $0 <= 1 << 48 ? Int($0) : nil } }

        private func number<Number: FixedWidthInteger>(_ offset: Int) -> Number? {
            let count = MemoryLayout<Number>.size
            guard offset >= 0, offset <= bytes.count - count else { return nil }
            return bytes.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self)) }
        }

        func contain(_ offset: Int, _ size: Int) -> Bool { offset <= bytes.count && size <= bytes.count - offset }

        fileprivate func contain(_ table: Header.Table) -> Bool { contain(table.offset, table.size * table.count) }

        /// Text up to a NUL.
        func text(_ offset: Int, _ count: Int) -> String {
            String(decoding: bytes[offset..<offset + count].prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

extension Int {
    /// The next multiple of 4.
    fileprivate var paddedToWord: Int { (self + 3) & ~3 }
}
