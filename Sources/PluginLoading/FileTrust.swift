import Glibc
import RoutingPolicy

/// Whether nobody but root and the router's user can have written a file. A plugin has all rights of the router.
enum FileTrust {
    /// Checks the file, the folders that lead to it, and that it has these bytes. All of that is asked of one open
    /// file, because a path may lead to another file each time.
    static func check(_ path: String, holds bytes: [UInt8]) throws(PluginProblem) {
        // Without O_NONBLOCK, opening a named pipe waits for a writer.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw unreadable() }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw unreadable() }
        try checkOne(status, "is a file that", "the file", mayBeShared: false)
        try checkFolders(leadingTo: try absolute(path))
        guard let resolved = realpath(path, nil) else { throw unreadable() }
        defer { free(resolved) }
        try checkFolders(leadingTo: String(cString: resolved))
        var target = stat()
        guard stat(resolved, &target) == 0, (target.st_dev, target.st_ino) == (status.st_dev, status.st_ino), has(file, bytes) else {
            throw PluginProblem("has changed while it was read", hint: "copy it to another name beside it, and then rename it: 'mv'")
        }
    }

    private static func absolute(_ path: String) throws(PluginProblem) -> String {
        if path.hasPrefix("/") { return path }
        guard let folder = getcwd(nil, 0) else { throw unreadable() }
        defer { free(folder) }
        return "\(String(cString: folder))/\(path)"
    }

    /// Checks each folder from the root to the file's own. Others may write a sticky one on the way, such as /tmp,
    /// because they can't rename what isn't theirs there.
    private static func checkFolders(leadingTo path: String) throws(PluginProblem) {
        for slash in path.indices.reversed() where path[slash] == "/" {
            let folder = slash == path.startIndex ? "/" : String(path[..<slash])
            var status = stat()
            guard stat(folder, &status) == 0 else { throw unreadable() }
            let isOwn = !path[path.index(after: slash)...].contains("/")
            try checkOne(
                status, isOwn ? "is in the folder '\(folder)', which" : "is below the folder '\(folder)', which", "the folder",
                mayBeShared: !isOwn)
        }
    }

    private static func checkOne(_ status: stat, _ subject: String, _ object: String, mayBeShared: Bool) throws(PluginProblem) {
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw PluginProblem(
                "\(subject) belongs to another user (\(status.st_uid)), who could run code as the router",
                hint: "make root, or the user of the router (\(geteuid())), the owner of \(object): 'chown'")
        }
        if mayBeShared, status.st_mode & S_ISVTX != 0 { return }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw PluginProblem(
                "\(subject) other users can write, who could run code as the router",
                hint: "take their right to write away: 'chmod go-w', or install the plugin in another folder")
        }
    }

    private static func has(_ file: Int32, _ bytes: [UInt8]) -> Bool {
        var block = [UInt8](repeating: 0, count: 64 << 10)
        var position = 0
        while true {
            let count = block.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 && position == bytes.count }
            guard count <= bytes.count - position else { return false }
            // A debug build compares elements slowly.
            let isSame = bytes.withUnsafeBytes { bytes in
                block.withUnsafeBytes { block in
                    guard let expected = bytes.baseAddress, let found = block.baseAddress else { return false }
                    return memcmp(expected + position, found, count) == 0
                }
            }
            guard isSame else { return false }
            position += count
        }
    }

    private static func unreadable() -> PluginProblem {
        PluginProblem("can't be read: \(String(cString: strerror(errno)).lowercased())", hint: "check the path")
    }
}
