import Glibc
import RoutingPolicy

/// Whether nobody but root and the router's user can have written a file. A plugin has all rights of the router.
enum FileTrust {
    /// Checks the file and its folder. Of a link, it checks both ends.
    static func check(_ path: String) throws(PluginProblem) {
        try checkOne(folder(of: path), isFolder: true)
        guard let resolved = realpath(path, nil) else {
            throw PluginProblem("can't be read: \(String(cString: strerror(errno)).lowercased())", hint: "check the path")
        }
        defer { free(resolved) }
        let target = String(cString: resolved)
        try checkOne(target, isFolder: false)
        try checkOne(folder(of: target), isFolder: true)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func checkOne(_ path: String, isFolder: Bool) throws(PluginProblem) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw PluginProblem("can't be read: \(String(cString: strerror(errno)).lowercased())", hint: "check the path")
        }
        let subject = isFolder ? "is in the folder '\(path)', which" : "is a file that"
        let object = isFolder ? "the folder" : "the file"
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw PluginProblem(
                "\(subject) belongs to another user (\(status.st_uid)), who could run code as the router",
                hint: "make root, or the user of the router (\(geteuid())), the owner of \(object): 'chown'")
        }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw PluginProblem(
                "\(subject) other users can write, who could run code as the router", hint: "take their right to write away: 'chmod go-w'")
        }
    }
}
