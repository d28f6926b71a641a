import Glibc

/// Reads and writes small files.
enum Files {
    /// Returns the content, or nil if the file can't be opened, such as one in /proc of a process that has ended.
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            let part = [UInt8](unsafeUninitializedCapacity: 65536) { $1 = max(0, Glibc.read(descriptor, $0.baseAddress, $0.count)) }
            if part.isEmpty { break }
            bytes += part
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure.system("cannot write '\(path)'") }
        defer { close(descriptor) }
        try write(text, to: descriptor)
    }

    static func write(_ text: String, to descriptor: CInt) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { throw Failure.system("write") }
            rest = rest.dropFirst(max(0, count))
        }
    }

    /// Makes a new directory in $TMPDIR, or in /tmp if that is not set.
    static func makeTemporaryDirectory() throws -> String {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/llm-router-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure.system("cannot make a directory in '\(parent)'") }
        return template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }
}
