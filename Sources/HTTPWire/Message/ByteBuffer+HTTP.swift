package import NIOCore

extension ByteBuffer {
    /// An empty buffer with separate storage. All `ByteBuffer()` share one storage object, and its reference count
    /// moves between the cores at every use; for each message that costs more than the memory.
    package static func unshared(capacity: Int = 1) -> ByteBuffer { ByteBufferAllocator().buffer(capacity: max(1, capacity)) }

    /// The text in `range`, counted from the first readable byte. Bytes that are not UTF-8 become U+FFFD.
    func string(_ range: Range<Int>) -> String {
        getString(at: readerIndex + range.lowerBound, length: range.count) ?? ""
    }

    /// The same bytes, copied if they would otherwise keep a much larger read buffer alive.
    consuming func detached() -> ByteBuffer {
        storageCapacity > 16 * 1024 && storageCapacity > 2 * readableBytes ? copied() : self
    }

    private func copied() -> ByteBuffer { ByteBuffer(bytes: readableBytesView) }

    /// Appends text that is written in place.
    ///
    /// - Parameter capacity: an upper bound for the number of bytes that `write` writes.
    mutating func writeText(capacity: Int, _ write: (inout WireText) -> Void) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { memory in
            var text = WireText(memory)
            write(&text)
            return text.count
        }
    }

    /// Writes a number that isn't negative.
    package mutating func writeDecimal(_ number: Int) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { Decimal.write(number, to: $0) }
    }

    /// Writes the size line of a chunk.
    mutating func writeChunkSize(_ size: Int) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: Chunk.maxSizeBytes) { Chunk.writeSize(size, to: $0) }
    }

    /// Writes a complete chunk: its size line, its bytes and CR LF.
    mutating func writeChunk(_ bytes: ByteBuffer) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.readableBytes + Chunk.maxSizeBytes + 2) { memory in
            bytes.withUnsafeReadableBytes { bytes in
                let start = Chunk.writeSize(bytes.count, to: memory)
                UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(from: bytes)
                return start + bytes.count + Chunk.writeLineEnd(to: memory, at: start + bytes.count)
            }
        }
    }
}

private enum Chunk {
    /// 16 digits and CR LF.
    static let maxSizeBytes = 18

    static func writeSize(_ size: Int, to memory: UnsafeMutableRawBufferPointer) -> Int {
        let digits = max(1, (Int.bitWidth - size.leadingZeroBitCount + 3) / 4)
        for index in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: size &>> (4 * (digits - 1 - index))) & 0xF
            memory[index] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
        }
        return digits + writeLineEnd(to: memory, at: digits)
    }

    static func writeLineEnd(to memory: UnsafeMutableRawBufferPointer, at index: Int) -> Int {
        memory[index] = Octet.cr
        memory[index + 1] = Octet.lf
        return 2
    }
}
