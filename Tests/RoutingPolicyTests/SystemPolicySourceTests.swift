import Foundation
import RoutingPolicy
import Testing

/// Each test has its own temporary folder.
struct SystemPolicySourceTests: ~Copyable {
    private let folder = "\(NSTemporaryDirectory())policy-source-\(UUID().uuidString)/"
    private let source = SystemPolicySource()

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func error(_ name: String, limit: Int = 10) -> PolicySourceError? {
        do throws(PolicySourceError) {
            _ = try source.read(folder + name, limit: limit)
            return nil
        } catch {
            return error
        }
    }

    @Test
    func `a file is read anew each time, up to the limit`() throws {
        try "0123456789".write(toFile: folder + "a", atomically: true, encoding: .utf8)
        #expect(try source.read(folder + "a", limit: 10) == Array("0123456789".utf8))
        try "new".write(toFile: folder + "a", atomically: true, encoding: .utf8)
        #expect(try source.read(folder + "a", limit: 10) == Array("new".utf8))
        try "0123456789+".write(toFile: folder + "a", atomically: true, encoding: .utf8)
        #expect(error("a") == .tooLarge)
    }

    @Test
    func `a missing file, a directory and a pipe are refused`() throws {
        #expect(error("missing") == .notFound)
        #expect(error("") == .unreadable("is a directory"))
        #expect(mkfifo(folder + "pipe", 0o600) == 0)
        #expect(error("pipe") == .unreadable("is not a regular file"))
    }

    @Test
    func `a glob returns sorted paths`() throws {
        for name in ["b.yaml", "a.yaml", "c.txt"] { try "".write(toFile: folder + name, atomically: true, encoding: .utf8) }
        #expect(source.glob(folder + "*.yaml") == [folder + "a.yaml", folder + "b.yaml"])
        #expect(source.glob(folder + "*.json") == [])
    }

    @Test
    func `only a folder that can be written keeps files`() throws {
        try "".write(toFile: folder + "file", atomically: true, encoding: .utf8)
        #expect(source.problem(keepingFilesIn: folder) == nil)
        #expect(source.problem(keepingFilesIn: folder + "missing") == "no such file or directory")
        #expect(source.problem(keepingFilesIn: folder + "file") == "not a directory")
    }

    @Test
    func `variables come from the environment of the process`() {
        #expect(source.environment("PATH") == ProcessInfo.processInfo.environment["PATH"])
        #expect(source.environment("NO_SUCH_VARIABLE_HERE") == nil)
    }
}
