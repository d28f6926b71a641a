import TestSupport

/// The checkout that the tests were built from.
enum Repository {
    static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")

    /// - Parameter path: relative to the root.
    static func read(_ path: String) throws -> String {
        guard let bytes = readFile("\(root)/\(path)") else { throw TestFailure("can't read '\(path)'", CallSite(#fileID, #line)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
