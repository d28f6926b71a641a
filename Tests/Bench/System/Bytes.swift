import Glibc

/// Searches in raw bytes, for parsers that must not allocate.
extension UnsafeRawBufferPointer {
    /// The position of `byte` at or after `start`.
    @inline(__always)
    func position(of byte: UInt8, from start: Int = 0) -> Int? {
        guard let base = baseAddress, start < count, let found = memchr(base + start, CInt(byte), count - start) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// The position after the first `needle` at or after `start`.
    func end(of needle: StaticString, from start: Int = 0) -> Int? {
        var at = start
        while let found = position(of: needle.utf8Start.pointee, from: at) {
            if hasBytes(needle, at: found) { return found + needle.utf8CodeUnitCount }
            at = found + 1
        }
        return nil
    }

    @inline(__always)
    func hasBytes(_ needle: StaticString, at start: Int) -> Bool {
        guard let base = baseAddress, start >= 0, count - start >= needle.utf8CodeUnitCount else { return false }
        return memcmp(base + start, needle.utf8Start, needle.utf8CodeUnitCount) == 0
    }

    /// Like `hasBytes`, but upper and lower case are equal.
    @inline(__always)
    func hasField(_ name: StaticString, at start: Int) -> Bool {
        guard let base = baseAddress, start >= 0, count - start >= name.utf8CodeUnitCount else { return false }
        return strncasecmp(
            (base + start).assumingMemoryBound(to: CChar.self), UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
            name.utf8CodeUnitCount) == 0
    }

    /// The decimal number at `start`, after optional spaces, and the position of its end. Nil if there is no number or
    /// it has more than 18 digits.
    @inline(__always)
    func decimal(at start: Int) -> (value: UInt64, end: Int)? {
        var at = start
        while at < count, self[at] == 0x20 { at += 1 }
        let first = at
        var value: UInt64 = 0
        while at < count, self[at] >= 0x30, self[at] <= 0x39 {
            guard at - first < 18 else { return nil }
            value = value &* 10 &+ UInt64(self[at] &- 0x30)
            at += 1
        }
        return at == first ? nil : (value, at)
    }
}

/// A growing buffer. Consumed bytes at the front are removed only when space is needed.
struct ByteQueue {
    private var storage: UnsafeMutableRawPointer
    private var capacity: Int
    private var start = 0
    private var end = 0

    init(capacity: Int) {
        self.capacity = capacity
        storage = .allocate(byteCount: capacity, alignment: 16)
    }

    /// The owner must call this once. The queue is plain memory, so that it can be stored in an array of connections.
    func deallocate() {
        storage.deallocate()
    }

    var isEmpty: Bool { start == end }

    @inline(__always)
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage + start, count: end - start) }

    @inline(__always)
    mutating func consume(_ count: Int) {
        start += count
        if start == end { (start, end) = (0, 0) }
    }

    mutating func clear() {
        (start, end) = (0, 0)
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        reserve(bytes.count)
        (storage + end).copyMemory(from: base, byteCount: bytes.count)
        end += bytes.count
    }

    /// Calls `recv` once and returns its result: 0 at the end, negative with `errno`.
    @inline(__always)
    mutating func receive(from socket: CInt) -> Int {
        reserve(4096)
        let count = recv(socket, storage + end, capacity - end, 0)
        if count > 0 { end += count }
        return count
    }

    private mutating func reserve(_ count: Int) {
        if capacity - end >= count { return }
        let used = end - start
        if capacity - used >= count, start >= used {
            storage.copyMemory(from: storage + start, byteCount: used)
        } else {
            capacity = max(capacity * 2, used + count)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
            larger.copyMemory(from: storage + start, byteCount: used)
            storage.deallocate()
            storage = larger
        }
        (start, end) = (0, used)
    }
}
