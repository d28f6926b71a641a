import Glibc
package import NIOCore
import NIOPosix
import Synchronization

/// Where uploads of more than 1 MiB are kept (`server.spool`), and how many bytes they may have together
/// (`server.max_spooled`).
///
/// Each is a file without a name, which only the router's user may read. The system removes it with its last
/// descriptor, however the process ends. The files are opened, written and read by threads of their own.
package final class BodySpool: Sendable {
    private let path: Mutex<String>
    let budget: BufferBudget

    package init(folder: String, limit: Int) {
        path = Mutex(folder)
        budget = BufferBudget(limit: limit)
    }

    /// Replaces the folder and the limit, for new uploads.
    package func update(folder: String, limit: Int) {
        path.withLock { $0 = folder }
        budget.setLimit(limit)
    }

    package var usedBytes: Int { budget.usedBytes }

    /// Throws if no file can be made in a folder.
    package static func check(folder: String) throws(IOError) { close(try open(in: folder)) }

    /// Opens a file without a name in the folder. The caller closes it.
    func open() throws(IOError) -> CInt { try Self.open(in: path.withLock { $0 }) }

    private static func open(in folder: String) throws(IOError) -> CInt {
        let mode: mode_t = 0o600
        let unnamed = Glibc.open(folder, O_RDWR | O_CLOEXEC | temporaryFile, mode)
        if unnamed >= 0 { return unnamed }
        // The errors of file systems and kernels that can't make a file without a name. Source: open(2), O_TMPFILE.
        guard [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) else { throw IOError(errnoCode: errno, reason: "open") }
        let file = "\(folder)/.llm-router-\(getpid())-\(UInt64.random(in: .min ... .max))"
        let named = Glibc.open(file, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
        guard named >= 0 else { throw IOError(errnoCode: errno, reason: "open") }
        unlink(file)
        return named
    }

    /// O_TMPFILE, which the C header defines in a way that Swift can't import.
    private static let temporaryFile = O_DIRECTORY | 0o20_000_000

    /// Runs a job that blocks, and then `completion` on the event loop.
    static func run<Value: Sendable>(
        on eventLoop: any EventLoop, _ job: @escaping @Sendable () throws(IOError) -> Value,
        then completion: @escaping @Sendable (Result<Value, IOError>) -> Void
    ) {
        NIOThreadPool.singleton.submit { _ in
            let result = Result { () throws(IOError) -> Value in try job() }
            eventLoop.execute { completion(result) }
        }
    }

    static func close(_ descriptor: CInt) { _ = Glibc.close(descriptor) }
}

extension IOError {
    /// What the system says, such as `no space left on device`.
    package var words: String { String(cString: strerror(errnoCode)).lowercased() }
}
