/// Where a policy's text comes from: files and environment variables. A load asks it anew each time; all else in a load is pure.
package protocol PolicySource: Sendable {
    /// The bytes of a regular file, at most `limit`.
    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8]

    /// nil where the variable is unset.
    func environment(_ name: String) -> String?

    /// The paths that match a shell pattern (`*`, `?`, `[…]`), sorted. A pattern without these gives the path itself if it exists.
    func glob(_ pattern: String) -> [String]

    /// False for a policy that lies in no folder: what it includes is left out, with a warning, and a value from a file is taken to be there.
    var followsFiles: Bool { get }
}

extension PolicySource {
    package var followsFiles: Bool { true }
}

/// Why a file can't be had.
package enum PolicySourceError: Error, Equatable {
    case notFound
    case tooLarge
    /// In words that go behind "file 'x'": `may not be read: permission denied`.
    case unreadable(String)
}

extension PolicySourceError {
    /// What to say behind the file's name.
    func words(limit: Int) -> String {
        switch self {
        case .notFound: "does not exist"
        case .tooLarge: "is larger than \(limit >> 10) KiB"
        case .unreadable(let reason): reason
        }
    }
}
