import CSpawn
import Glibc
import RoutingPolicy

/// Has a library loaded by a process of its own before the router loads it: what a damaged library or a trap in a
/// plugin ends is then that process, and not the router.
///
/// The process is this program with a hidden command, which calls ``ProbedPlugin/run(_:)``. It gets none of the
/// router's files, sockets and variables but those of the dynamic linker, and what it prints goes to a file beside the
/// copy.
package struct PluginProbe: Sendable {
    /// The hidden command, which the path of a library follows.
    package static let command = "probe-plugin"
    /// With the program that this process runs, even if its file has been replaced. Source: proc(5), `/proc/PID/exe`.
    package static let ownProgram = PluginProbe(program: "/proc/self/exe")

    private let program: String
    private let limit: Duration

    /// - Parameter limit: how long the process may take.
    package init(program: String, limit: Duration = .seconds(30)) {
        (self.program, self.limit) = (program, limit)
    }

    /// Waits until the process has loaded the library. Throws if it didn't come to its end.
    ///
    /// - Returns: why no process could do it, in words; nil if one has. Then the library itself isn't at fault.
    func check(_ copy: PrivateCopy) throws(PluginProblem) -> String? {
        let files = PrivateCopy.companions.map { "\(copy.folder)/\($0)" }
        let process: pid_t
        switch spawn(copy.path, steps: files[0], errors: files[1]) {
        case .success(let started): process = started
        case .failure(let failure): return String(cString: strerror(failure.code)).lowercased()
        }
        let ending = wait(for: process)
        let step = try? Self.bytes(files[0]).last.flatMap(ProbedPlugin.Step.init)
        guard step != .finished else { return nil }
        let words = "\(ending.words(limit))"
        guard let step else { return "the process \(words) before it began" }
        let text = String(decoding: (try? Self.bytes(files[1])) ?? [], as: UTF8.self)
        let said = text.split(separator: "\n").first.map { "; it says '\(String($0).printable)'" } ?? ""
        throw PluginProblem(
            "is damaged, or its code fails: a process that loads it \(words) \(step.words)\(said)",
            hint: "copy it again, to another name beside it, and then rename it: 'mv'; if that doesn't help, ask its author")
    }

    private static func bytes(_ path: String) throws(PolicySourceError) -> [UInt8] {
        try SystemPolicySource().read(path, limit: 1 << 20)
    }

    // MARK: The process

    private struct SpawnFailure: Error {
        let code: Int32
    }

    private func spawn(_ library: String, steps: String, errors: String) -> Result<pid_t, SpawnFailure> {
        var actions = posix_spawn_file_actions_t(), attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        posix_spawn_file_actions_addopen(&actions, ProbedPlugin.stepsDescriptor, steps, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        // Otherwise sockets that the router closes meanwhile would stay open.
        spawn_actions_close_from(&actions, ProbedPlugin.stepsDescriptor + 1)
        // The router ignores some signals and blocks others, and a program inherits both.
        var all = sigset_t(), none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var process: pid_t = 0
        let code = Self.withCStrings(["llm-router", Self.command, library]) { arguments in
            Self.withCStrings(Self.environment) { posix_spawn(&process, program, &actions, &attributes, arguments, $0) }
        }
        return code == 0 ? .success(process) : .failure(SpawnFailure(code: code))
    }

    /// Without the report of Swift's runtime on a crash, which takes seconds.
    private static var environment: [String] {
        let kept = ["LD_LIBRARY_PATH", "LD_PRELOAD"].compactMap { (name: String) in getenv(name).map { "\(name)=\(String(cString: $0))" } }
        return kept + ["SWIFT_BACKTRACE=enable=no"]
    }

    private static func withCStrings<Value>(
        _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return body(&pointers)
    }

    /// How a process has ended.
    private enum Ending {
        case exit(Int32)
        case signal(Int32)
        /// It was still running at the limit, and was ended.
        case late
        /// The system has told nobody, as for a parent that ignores SIGCHLD. Source: wait(2).
        case unknown

        func words(_ limit: Duration) -> String {
            switch self {
            case .exit(let status): "has ended with the exit status \(status)"
            case .signal(let number): "has ended with the signal \(number) (\(String(cString: strsignal(number)).lowercased()))"
            case .late: "has taken more than \(Int(limit / .seconds(1))) s"
            case .unknown: "has ended"
            }
        }
    }

    private func wait(for process: pid_t) -> Ending {
        let end = ContinuousClock.now + limit
        while true {
            var status: Int32 = 0
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process {
                // Seven bits of a signal, or zeros and the exit status above them. Source: <bits/waitstatus.h>.
                return status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
            }
            if ended < 0, errno != EINTR { return .unknown }
            if ContinuousClock.now >= end {
                kill(process, SIGKILL)
                while waitpid(process, &status, 0) < 0, errno == EINTR {}
                return .late
            }
            usleep(1000)
        }
    }
}
