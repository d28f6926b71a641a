import Glibc
import RoutingPolicy

/// Whether nobody but root and the router's user can have written a file. A plugin has all rights of the router.
enum FileTrust {
    /// Checks the file, the folders and links that lead to it, and that it has these bytes. All of that is asked of one
    /// open file, because a path may lead to another file each time.
    static func check(_ path: String, holds bytes: [UInt8]) throws(PluginProblem) {
        // Without O_NONBLOCK, opening a named pipe waits for a writer.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw unreadable() }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw unreadable() }
        try checkOne(status, "is a file that", "the file", mayBeShared: false)
        let target = try checkedStatus(try absolute(path))
        guard (target.st_dev, target.st_ino) == (status.st_dev, status.st_ino), has(file, bytes) else {
            throw PluginProblem("has changed while it was read", hint: "copy it to another name beside it, and then rename it: 'mv'")
        }
    }

    private static func absolute(_ path: String) throws(PluginProblem) -> String {
        if path.hasPrefix("/") { return path }
        guard let folder = getcwd(nil, 0) else { throw unreadable() }
        defer { free(folder) }
        return "\(String(cString: folder))/\(path)"
    }

    /// The status of what a path leads to. Follows it name by name, and checks each folder that a name or a link is in.
    ///
    /// Others may write a sticky folder on the way, such as /tmp, because they can't rename what isn't theirs there.
    /// The folder of the file, and of a link in its place, must not even be that.
    private static func checkedStatus(_ path: String) throws(PluginProblem) -> stat {
        // Without links: a link's target takes its place.
        var folder = "", names = Array(path.split(separator: "/").map(String.init).reversed())
        var links = 0
        while let name = names.popLast() {
            guard name != "." else { continue }
            guard name != ".." else {
                folder = String(folder.prefix(upTo: folder.lastIndex(of: "/") ?? folder.startIndex))
                continue
            }
            let isShared = try checkFolder(folder.isEmpty ? "/" : folder, isOwn: names.isEmpty)
            let place = "\(folder)/\(name)"
            var status = stat()
            guard lstat(place, &status) == 0 else { throw unreadable() }
            guard status.st_mode & S_IFMT == S_IFLNK else {
                if names.isEmpty { return status }
                folder = place
                continue
            }
            if isShared { try checkOwner(of: status, "is reached by the link '\(place)', which", "the link") }
            links += 1
            // As many links as Linux follows. Source: path_resolution(7).
            guard links <= 40, let target = target(ofLink: place) else { throw unreadable(ELOOP) }
            names += target.split(separator: "/").map(String.init).reversed()
            if target.hasPrefix("/") { folder = "" }
        }
        throw unreadable(EISDIR)
    }

    /// Returns whether others may make files in the folder.
    private static func checkFolder(_ folder: String, isOwn: Bool) throws(PluginProblem) -> Bool {
        var status = stat()
        guard stat(folder, &status) == 0 else { throw unreadable() }
        try checkOne(
            status, isOwn ? "is in the folder '\(folder)', which" : "is below the folder '\(folder)', which", "the folder",
            mayBeShared: !isOwn)
        return status.st_mode & (S_IWGRP | S_IWOTH) != 0
    }

    private static func target(ofLink path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    private static func checkOne(_ status: stat, _ subject: String, _ object: String, mayBeShared: Bool) throws(PluginProblem) {
        try checkOwner(of: status, subject, object)
        if mayBeShared, status.st_mode & S_ISVTX != 0 { return }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw PluginProblem(
                "\(subject) other users can write, who could run code as the router",
                hint: "take their right to write away: 'chmod go-w', or install the plugin in another folder")
        }
    }

    private static func checkOwner(of status: stat, _ subject: String, _ object: String) throws(PluginProblem) {
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw PluginProblem(
                "\(subject) belongs to another user (\(status.st_uid)), who could run code as the router",
                hint: "make root, or the user of the router (\(geteuid())), the owner of \(object): 'chown'")
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

    private static func unreadable(_ code: Int32 = errno) -> PluginProblem {
        PluginProblem("can't be read: \(String(cString: strerror(code)).lowercased())", hint: "check the path")
    }
}
