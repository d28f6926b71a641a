import Glibc
import Synchronization

/// The files and the environment of this process, and the changes of those files that the last load has read: a new
/// content, a file or a folder that takes the place of another, or a link that leads elsewhere. Files that a load has
/// looked for in vain count too, and so do files that match a glob from now on.
///
/// Source: inotify(7). It sees no changes that another machine makes on a network file system.
package final class WatchedPolicySource: PolicySource {
    private let files = SystemPolicySource()
    private let descriptor: Int32
    private let state = Mutex(State())

    private struct State {
        /// What matters, by the watch descriptor of its folder.
        var watched: [Int32: Names] = [:]
        /// The same for the load that is running.
        var loading: [Int32: Names] = [:]
        var failure: String?
    }

    /// The names in a folder whose changes matter. The empty name stands for the watched file itself.
    private struct Names {
        var exact: Set<String> = []
        var patterns: Set<String> = []

        func contain(_ name: String) -> Bool {
            exact.contains(name) || patterns.contains { fnmatch($0, name, FNM_PERIOD) == 0 }
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package init() throws(Failure) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else {
            throw Failure(description: "can't watch files: \(errorText()); raise fs.inotify.max_user_instances, or leave '--watch' out")
        }
    }

    deinit { close(descriptor) }

    /// Runs a load. From then on, what it has read is watched, and nothing else.
    package func load(_ load: () -> PolicyReport) -> PolicyReport {
        state.withLock { ($0.loading, $0.failure) = ([:], nil) }
        let report = load()
        let unused = state.withLock { state in
            defer { state.watched = state.loading }
            return state.watched.keys.filter { state.loading[$0] == nil }
        }
        for watch in unused { inotify_rm_watch(descriptor, watch) }
        return report
    }

    /// Why a part of the last load is not watched; nil if everything is.
    package var failure: String? { state.withLock { $0.failure } }

    // MARK: Changes

    /// Blocks until something that matters has changed, and then until nothing more changes for `quiet`, but no longer
    /// than `limit`: an editor or a deployment changes several files in a row.
    package func waitForChanges(quiet: Duration = .milliseconds(100), limit: Duration = .seconds(2)) {
        while !takeChanges() { waitForEvents(nil) }
        let end = ContinuousClock.now + limit
        var next = ContinuousClock.now + quiet
        while case let now = ContinuousClock.now, now < min(next, end) {
            waitForEvents(min(next, end) - now)
            if takeChanges() { next = .now + quiet }
        }
    }

    /// Takes the events that have arrived. Returns whether one of them matters.
    func takeChanges() -> Bool {
        var matters = false
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                return matters
            }
            buffer.withUnsafeBytes { if containsChange(UnsafeRawBufferPointer(rebasing: $0[..<count])) { matters = true } }
        }
    }

    /// Each event is a `struct inotify_event`: four numbers of 32 bits (watch, mask, cookie, length of the name), then
    /// the name, padded with NUL.
    private func containsChange(_ events: UnsafeRawBufferPointer) -> Bool {
        var matters = false
        var rest = events[...]
        while rest.count >= 16 {
            func number(_ index: Int) -> UInt32 { events.loadUnaligned(fromByteOffset: rest.startIndex + 4 * index, as: UInt32.self) }
            let watch = Int32(bitPattern: number(0)), mask = number(1)
            let name = rest.dropFirst(16).prefix(Int(number(3)))
            rest = rest[name.endIndex...]
            // After an overflow of the kernel's queue it is not known what has changed.
            if mask & UInt32(IN_Q_OVERFLOW) != 0 || isWatched(String(decoding: name.prefix { $0 != 0 }, as: UTF8.self), watch) {
                matters = true
            }
        }
        return matters
    }

    private func isWatched(_ name: String, _ watch: Int32) -> Bool {
        state.withLock { state in
            state.watched[watch]?.contain(name) == true || state.loading[watch]?.contain(name) == true
        }
    }

    private func waitForEvents(_ time: Duration?) {
        var events = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds = time.map {
            Int32(clamping: $0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000 + 1)
        }
        poll(&events, 1, milliseconds ?? -1)
    }

    // MARK: Reading

    /// The file is watched first, so that a change after the reading is always noticed.
    package func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
        watch(path)
        return try files.read(path, limit: limit)
    }

    package func environment(_ name: String) -> String? { files.environment(name) }

    package func problem(writing path: String) -> String? { files.problem(writing: path) }

    package func problem(keepingFilesIn folder: String) -> String? { files.problem(keepingFilesIn: folder) }

    package func problem(listing folder: String) -> String? { files.problem(listing: folder) }

    package func glob(_ pattern: String) -> [String] {
        let parts = pattern.split(separator: "/")
        var folder = pattern.hasPrefix("/") ? "/" : "."
        for (index, part) in parts.enumerated() {
            // Everything below the first pattern depends on the folders that match it.
            if parts[...index].contains(where: { $0.utf8.contains { "*?[".utf8.contains($0) } }) {
                for found in folder.utf8.contains(where: { "*?[".utf8.contains($0) }) ? files.glob(folder) : [folder] {
                    watch(found)
                    add(folder: found) { $0.patterns.insert(String(part)) }
                }
            }
            folder += "/\(part)"
        }
        return files.glob(pattern)
    }

    /// Watches a file that a load leads to and that others read, such as a certificate. Called by the load.
    package func alsoWatch(_ path: String) { watch(path) }

    /// Watches each name on the way to a file: a folder or a link on it may be replaced as well as the file itself.
    private func watch(_ path: String) {
        var folder = path.hasPrefix("/") ? "/" : "."
        var names = Array(path.split(separator: "/").map(String.init).reversed())
        var links = 0
        while let name = names.popLast() {
            if name != "..", name != "." { add(folder: folder) { $0.exact.insert(name) } }
            // As many links as Linux follows. Source: path_resolution(7).
            guard links < 40, let target = Self.target(ofLink: "\(folder)/\(name)") else {
                folder += "/\(name)"
                continue
            }
            links += 1
            names += target.split(separator: "/").map(String.init).reversed()
            if target.hasPrefix("/") { folder = "/" }
        }
        // A file that is mounted by itself, as in a container, is written in another folder.
        add(folder: folder) { $0.exact.insert("") }
    }

    /// Adds names to a folder's watch. A folder that does not exist is seen by the watch of the folder above it.
    private func add(folder: String, _ change: (inout Names) -> Void) {
        let events = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB
        let watch = inotify_add_watch(descriptor, folder, UInt32(events))
        let code = errno
        state.withLock { state in
            if watch >= 0 {
                change(&state.loading[watch, default: Names()])
            } else if code == ENOSPC || code == ENOMEM {
                state.failure = "'\(folder)' is not watched, because there are too many watches; raise fs.inotify.max_user_watches"
            }
        }
    }

    private static func target(ofLink path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

private func errorText() -> String { String(cString: strerror(errno)).lowercased() }
