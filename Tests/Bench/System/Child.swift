import Glibc

/// A child process. Its owner must call `end`; releasing the value does not end the process.
struct Child {
    let pid: pid_t

    /// Starts the program. Its outputs are appended to files, so that these can be truncated between measurements.
    init(_ arguments: [String], output: String, errors: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o644)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var argv = arguments.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var pid: pid_t = 0
        let status = posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, environ)
        guard status == 0 else { throw Failure("cannot start '\(arguments[0])': \(String(cString: strerror(status)))") }
        self.pid = pid
    }

    var isRunning: Bool {
        var status: CInt = 0
        return waitpid(pid, &status, WNOHANG) == 0
    }

    func signal(_ number: CInt) {
        kill(pid, number)
    }

    /// Sends SIGTERM, and SIGKILL if the process has not exited within `limit`.
    func end(within limit: Nanoseconds = .milliseconds(3000)) {
        guard isRunning else { return }
        signal(SIGTERM)
        let deadline = monotonicNow() + limit
        while isRunning {
            if monotonicNow() > deadline {
                signal(SIGKILL)
                waitpid(pid, nil, 0)
                return
            }
            pause(.milliseconds(1))
        }
    }

    /// Waits for a process that exits by itself.
    func wait() {
        waitpid(pid, nil, 0)
    }
}

/// SIGINT and SIGTERM, which are blocked and polled. So the benchmark needs no signal handler and no global state.
enum Interrupts {
    static func block() {
        var signals = set
        sigprocmask(SIG_BLOCK, &signals, nil)
        Glibc.signal(SIGPIPE, SIG_IGN)
    }

    static func check() throws {
        var signals = set
        var now = timespec()
        if sigtimedwait(&signals, nil, &now) > 0 { throw Interrupted() }
    }

    private static var set: sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        return signals
    }
}
