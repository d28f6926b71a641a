import Glibc

/// The files and the environment of this process.
package struct SystemPolicySource: PolicySource {
    package init() {}

    package func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
        // Without O_NONBLOCK, opening a named pipe waits for a writer.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: throw .notFound
            case EMFILE, ENFILE: throw .tooManyOpenFiles
            default: throw .unreadable("can't be read: \(errorText())")
            }
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(status.st_mode & S_IFMT == S_IFDIR ? "is a directory" : "is not a regular file")
        }
        return try read(file, limit: limit)
    }

    /// The bytes up to the end of standard input. Throws `tooLarge` if there are more than `limit`.
    package func readStandardInput(limit: Int) throws(PolicySourceError) -> [UInt8] {
        try read(0, limit: limit)
    }

    private func read(_ file: Int32, limit: Int) throws(PolicySourceError) -> [UInt8] {
        // The file may grow while it is read, so the limit applies to the bytes read and not to the size from `fstat`.
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= limit {
            let count = block.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable("can't be read: \(errorText())") }
            guard count > 0 else { return bytes }
            bytes += block.prefix(count)
        }
        throw .tooLarge
    }

    package func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    package func glob(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard Glibc.glob(pattern, 0, nil, &found) == 0, let paths = found.gl_pathv else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in paths[index].map { String(cString: $0) } }
    }

    package func problem(writing path: String) -> String? {
        // Without O_NONBLOCK, opening a named pipe waits for a reader.
        let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK)
        if file >= 0 {
            close(file)
            return nil
        }
        guard errno == ENOENT else { return errorText() }
        let folder = path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)
        return access(folder.isEmpty ? "/" : String(folder), W_OK | X_OK) == 0 ? nil : errorText()
    }

    package func problem(keepingFilesIn folder: String) -> String? {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return errorText() }
        close(descriptor)
        return access(folder, W_OK | X_OK) == 0 ? nil : errorText()
    }

    package func problem(listing folder: String) -> String? {
        guard let stream = opendir(folder) else { return [ENOENT, ENOTDIR].contains(errno) ? nil : errorText() }
        closedir(stream)
        return nil
    }

    private func errorText() -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        let code = errno
        // The POSIX variant, which fills the buffer and returns 0.
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).lowercased()
    }
}
