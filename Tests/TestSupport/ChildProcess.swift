import Glibc

/// A started program. A thread for each of its two outputs reads it, so the program never blocks on a full pipe.
package final class ChildProcess: Sendable {
    package enum Exit: Equatable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    package let pid: Int32
    let output = Watched<[UInt8]>([])
    let errors = Watched<[UInt8]>([])
    private let exit = Watched<Exit?>(nil)
    private let openOutputs = Watched(2)

    /// - Parameter environment: the complete environment of the program; nothing is inherited.
    init(_ program: String, _ arguments: [String], environment: [String: String]) throws {
        let (outRead, outWrite) = try Self.pipe()
        let (errRead, errWrite) = try Self.pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, outWrite, 1)
        posix_spawn_file_actions_adddup2(&actions, errWrite, 2)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        // Otherwise this program would inherit sockets of other tests and keep them open.
        _ = closeFrom(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test process may block signals. The program starts with no signal blocked.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var pid: pid_t = 0
        let result = withCStrings([program] + arguments) { argv in
            withCStrings(environment.map { "\($0)=\($1)" }) { envp in posix_spawn(&pid, program, &actions, &attributes, argv, envp) }
        }
        close(outWrite)
        close(errWrite)
        guard result == 0 else {
            close(outRead)
            close(errRead)
            throw SocketError("start of \(program)", result)
        }
        self.pid = pid
        collect(outRead, into: output)
        collect(errRead, into: errors)
        let (child, exit) = (pid, exit)
        startThread {
            var status: Int32 = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            exit.update { $0 = status & 0x7F == 0 ? .code(status >> 8 & 0xFF) : .signal(status & 0x7F) }
        }
    }

    deinit { kill() }

    package func signal(_ number: Int32) {
        exit.read { if $0 == nil { Glibc.kill(pid, number) } }
    }

    package func hangUp() { signal(SIGHUP) }

    /// The number of bytes that the program has written to standard error so far.
    package var errorLength: Int { errors.read(\.count) }

    /// Sends SIGKILL and returns when the process has ended.
    package func kill() {
        signal(SIGKILL)
        _ = exit.wait(until: Deadline(.seconds(10))) { $0 }
    }

    package var hasExited: Bool { exitSoFar != nil }
    /// Nil while the process runs.
    package var exitSoFar: Exit? { exit.read { $0 } }

    package func waitForExit(within limit: Duration, file: StaticString = #fileID, line: Int = #line) throws -> Exit {
        guard let exit = exit.wait(until: Deadline(limit), for: { $0 }) else {
            throw TestFailure("the process did not exit within \(limit)", CallSite(file, line))
        }
        return exit
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw SocketError("pipe", errno) }
        return (ends[0], ends[1])
    }

    /// Waits until both outputs are read to their end, which may be a moment after the exit.
    package func waitForOutputEnd(within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line) throws {
        guard openOutputs.wait(until: Deadline(limit), for: { $0 == 0 ? true : nil }) != nil else {
            throw TestFailure("the process's outputs did not end within \(limit)", CallSite(file, line))
        }
    }

    private func collect(_ descriptor: Int32, into bytes: Watched<[UInt8]>) {
        let openOutputs = openOutputs
        startThread {
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count > 0 { bytes.update { $0 += buffer.prefix(count) } } else if count == 0 || errno != EINTR { break }
            }
            close(descriptor)
            openOutputs.update { $0 -= 1 }
        }
    }
}

private func withCStrings<Result>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
    let pointers = texts.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    return body(pointers + [nil])
}

/// `posix_spawn_file_actions_addclosefrom_np`, which glibc has since 2.34. Its header declares the function only with
/// `_GNU_SOURCE`, which Swift's module map does not define, so the symbol is looked up.
private let closeFrom: @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32 = {
    guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { fatalError("the tests need glibc 2.34 or newer") }
    return unsafeBitCast(symbol, to: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32).self)
}()
