/// The source of a policy's text: files and environment variables. Each load reads it anew, and has no other input.
package protocol PolicySource: Sendable {
    /// The bytes of a regular file. Throws `tooLarge` if there are more than `limit`.
    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8]

    /// Nil if the variable is unset.
    func environment(_ name: String) -> String?

    /// The paths that match a shell pattern (`*`, `?`, `[…]`), sorted. A pattern without these characters
    /// gives the path itself if it exists.
    func glob(_ pattern: String) -> [String]

    /// Why lines can't be appended to a file, as a message continues after `can't be written: `; nil if they can, or if
    /// it isn't known. Nothing is created: the folder of a file that doesn't exist must be writable.
    func problem(writing path: String) -> String?

    /// Why a folder can't keep files, in words; nil if it can, or if it isn't known. Nothing is created.
    func problem(keepingFilesIn folder: String) -> String?

    /// Why the names in a folder can't be read, in words; nil if they can, if there is no such folder, or if it isn't
    /// known.
    func problem(listing folder: String) -> String?

    /// Whether the files that a policy refers to are read. False for a policy that is in no folder: an included file is
    /// left out with a warning, and a placeholder replaces a value from a file.
    var followsFiles: Bool { get }
}

extension PolicySource {
    package var followsFiles: Bool { true }

    package func problem(writing path: String) -> String? { nil }

    package func problem(keepingFilesIn folder: String) -> String? { nil }

    package func problem(listing folder: String) -> String? { nil }
}

/// Why a file can't be read.
package enum PolicySourceError: Error, Equatable {
    case notFound
    case tooLarge
    /// The associated value follows the file's name in a message: `can't be read: permission denied`.
    case unreadable(String)
    /// The process or the machine has too many open files.
    case tooManyOpenFiles
}

extension PolicySourceError {
    /// The text that follows the file's name in a message.
    package func reason(limit: Int) -> String {
        switch self {
        case .notFound: "does not exist"
        case .tooLarge: "is larger than \(limit % (1 << 20) == 0 ? "\(limit >> 20) MiB" : "\(limit >> 10) KiB")"
        case .unreadable(let reason): reason
        case .tooManyOpenFiles: "can't be read: too many files and connections are open"
        }
    }

    /// What to do.
    var hint: String {
        switch self {
        case .notFound, .unreadable: "check the path"
        case .tooLarge: "split it into several files, and list them under 'include:'"
        case .tooManyOpenFiles:
            "try again when fewer clients are connected, and raise the limit: 'ulimit -n', or LimitNOFILE in the systemd unit"
        }
    }
}
