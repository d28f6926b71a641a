import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A request's body in a file of the spool. The file lives as long as this object.
///
/// While the body arrives, its `SpoolWriter` changes it on one event loop, one job at a time. After that it doesn't
/// change, and any thread may read it.
package final class SpooledBody: @unchecked Sendable {  // only its writer changes it, before anyone else has it
    private let spool: BodySpool
    let descriptor = Atomic<CInt>(-1)
    private var share: BufferShare
    /// The bytes of the body so far.
    package fileprivate(set) var count = 0

    fileprivate init(_ spool: BodySpool) {
        self.spool = spool
        share = BufferShare(spool.budget)
    }

    deinit {
        share.release()
        let descriptor = descriptor.load(ordering: .acquiring)
        // The system takes a while to free a large file.
        if descriptor >= 0 { NIOThreadPool.singleton.submit { _ in BodySpool.close(descriptor) } }
    }

    /// Reserves room for a body of `bytes`. Returns false if there is none.
    fileprivate func reserve(_ bytes: Int) -> Bool { share.cover(max(bytes, share.bytes)) }

    /// Writes bytes behind all earlier ones. Blocks.
    fileprivate func append(_ bytes: ByteBuffer, at offset: Int) throws(IOError) {
        var file = descriptor.load(ordering: .acquiring)
        if file < 0 {
            file = try spool.open()
            descriptor.store(file, ordering: .releasing)
        }
        var written = 0
        while written < bytes.readableBytes {
            let result = bytes.withUnsafeReadableBytes {
                pwrite(file, $0.baseAddress.map { $0 + written }, $0.count - written, off_t(offset + written))
            }
            guard result > 0 else {
                if result < 0, errno == EINTR { continue }
                throw IOError(errnoCode: result < 0 ? errno : EIO, reason: "write")
            }
            written += result
        }
    }

    /// Reads a range. Blocks.
    func read(_ range: Range<Int>) throws(IOError) -> ByteBuffer {
        let file = descriptor.load(ordering: .acquiring)
        var buffer = ByteBuffer.unshared(capacity: range.count)
        while buffer.readableBytes < range.count {
            let (offset, rest) = (range.lowerBound + buffer.readableBytes, range.upperBound - range.lowerBound - buffer.readableBytes)
            var code: CInt = 0
            let result = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: rest) { memory in
                let result = pread(file, memory.baseAddress, rest, off_t(offset))
                code = result < 0 ? errno : EIO
                return max(result, 0)
            }
            guard result > 0 || code == EINTR else { throw IOError(errnoCode: code, reason: "read") }
        }
        return buffer
    }
}

/// Writes an upload into its file as it arrives. Confined to its event loop.
final class SpoolWriter: @unchecked Sendable {  // confined to its event loop
    /// The most bytes that wait in memory before the client has to.
    static let maxWaitingBytes = 256 * 1024

    let body: SpooledBody
    /// Whether all of the body has been appended.
    var isComplete = false
    private let eventLoop: any EventLoop
    private var waiting: ByteBuffer
    private var writingBytes = 0
    /// Called after each write; nil once the upload is abandoned.
    private var progressed: ((IOError?) -> Void)?

    init(_ spool: BodySpool, eventLoop: any EventLoop, progressed: @escaping (IOError?) -> Void) {
        body = SpooledBody(spool)
        waiting = .unshared()
        self.eventLoop = eventLoop
        self.progressed = progressed
    }

    /// Whether no more bytes should be appended for now.
    var isBehind: Bool { waiting.readableBytes + writingBytes >= Self.maxWaitingBytes }
    /// Whether every byte is in the file.
    var isIdle: Bool { writingBytes == 0 && waiting.readableBytes == 0 }

    /// Reserves room for a body of `bytes`. Returns false if there is none.
    func reserve(_ bytes: Int) -> Bool { body.reserve(bytes) }

    /// Appends bytes of the body. Returns false if the spool has no room for them.
    func append(_ bytes: ByteBuffer) -> Bool {
        body.count += bytes.readableBytes
        guard body.reserve(body.count) else { return false }
        waiting.writeImmutableBuffer(bytes)
        write()
        return true
    }

    /// Forgets the upload. A write that has begun still ends.
    func abandon() { progressed = nil }

    private func write() {
        guard writingBytes == 0, waiting.readableBytes > 0 else { return }
        let bytes = waiting, offset = body.count - bytes.readableBytes
        waiting = .unshared()
        writingBytes = bytes.readableBytes
        BodySpool.run(on: eventLoop) { [body] () throws(IOError) in
            try body.append(bytes, at: offset)
        } then: { [self] result in
            writingBytes = 0
            guard progressed != nil else { return }
            switch result {
            case .success:
                write()
                progressed?(nil)
            case .failure(let error): progressed?(error)
            }
        }
    }
}
