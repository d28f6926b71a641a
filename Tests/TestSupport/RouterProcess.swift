import Glibc

/// A running `llm-router serve` with its own folder, port and environment. It is killed when the last reference is
/// released.
package final class RouterProcess: Sendable {
    package let process: ChildProcess
    package let folder: TemporaryFolder
    private let boundPort = Watched<UInt16>(0)

    /// Starts the program and returns at once; for starts that must fail.
    /// - Parameters:
    ///   - routes: the bytes of routes.yaml, which need not be valid; nil for no file.
    ///   - options: those of the command, before the file's path.
    ///   - wrapper: a command that runs the program, such as `nice`.
    package init(
        launching routes: [UInt8]?, environment: [String: String] = [:], files: [String: String] = [:], binaries: [String: [UInt8]] = [:],
        command: String = "serve", options: [String] = [], wrapper: [String] = []
    ) throws {
        guard let program = RouterBinary.path else {
            throw TestFailure("no llm-router beside the test bundle; build it, or set LLM_ROUTER_BIN", CallSite(#fileID, #line))
        }
        folder = try TemporaryFolder()
        if let routes { try folder.write("routes.yaml", routes) }
        for (name, content) in files { try folder.write(name, Array(content.utf8)) }
        for (name, content) in binaries { try folder.write(name, content) }
        var all = environment
        for name in RouterBinary.inherited { all[name] = all[name] ?? RouterBinary.environment(name) }
        let words = wrapper + [program, command] + options + ["\(folder.path)/routes.yaml"]
        process = try ChildProcess(words[0], Array(words.dropFirst()), environment: all)
    }

    /// Starts the program and waits until it listens.
    /// - Parameter routes: routes.yaml; `version` and a `listen` on a free port are added if they are missing.
    package convenience init(
        _ routes: String, environment: [String: String] = [:], files: [String: String] = [:], binaries: [String: [UInt8]] = [:],
        options: [String] = [], wrapper: [String] = [], file: StaticString = #fileID, line: Int = #line
    ) throws {
        try self.init(
            launching: Array(Self.completed(routes).utf8), environment: environment, files: files, binaries: binaries, options: options,
            wrapper: wrapper)
        try waitForStart(file, line)
    }

    package var port: UInt16 { boundPort.read { $0 } }
    package var figures: ProcessFigures { ProcessFigures(of: process.pid) }
    package var standardOutput: String { String(decoding: process.output.read { $0 }, as: UTF8.self) }
    package var standardError: String { String(decoding: process.errors.read { $0 }, as: UTF8.self) }

    package func client(receiveBuffer: Int32? = nil, file: StaticString = #fileID, line: Int = #line) throws -> RawClient {
        do {
            return try RawClient(port: port, receiveBuffer: receiveBuffer)
        } catch {
            let state = process.exitSoFar.map { "the router has exited, \($0)" } ?? "the router runs"
            throw TestFailure("\(error); \(state); standard error:\n\(standardError)", CallSite(file, line))
        }
    }

    /// Replaces routes.yaml and sends no signal.
    package func rewrite(_ routes: String) throws {
        try folder.write("routes.yaml", Array(Self.completed(routes).utf8))
    }

    /// Waits until standard error contains a text.
    package func waitForLog(_ text: String, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line) throws {
        let bytes = Array(text.utf8)
        guard process.errors.wait(until: Deadline(limit), for: { $0.firstRange(of: bytes, from: 0) }) != nil else {
            throw TestFailure("no '\(text)' on standard error within \(limit), only:\n\(standardError)", CallSite(file, line))
        }
    }

    /// The records of the access log, one JSON object per line. A line that is not JSON fails the test.
    package func accessRecords(file: StaticString = #fileID, line: Int = #line) throws -> [JSON] {
        try Self.records(process.output.read { $0 }, CallSite(file, line))
    }

    /// Waits until the access log has at least `count` records of an endpoint.
    package func waitForRecords(
        _ count: Int, endpoint: String = "chat", within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> [JSON] {
        let place = CallSite(file, line)
        let found = try process.output.wait(until: Deadline(limit)) { bytes in
            let records = try Self.records(bytes, place).filter { $0["endpoint"]?.string == endpoint }
            return records.count >= count ? records : nil
        }
        guard let found else { throw TestFailure("no \(count) access records of '\(endpoint)' within \(limit): \(standardOutput)", place) }
        return found
    }

    private static func records(_ bytes: [UInt8], _ place: CallSite) throws -> [JSON] {
        let completeLines = bytes.lastIndex(of: 10).map { bytes[...$0] } ?? []
        return try completeLines.split(separator: 10).map { line in
            guard let record = JSON(Array(line)) else {
                throw TestFailure("a line of the access log is not JSON: \(String(decoding: line, as: UTF8.self))", place)
            }
            return record
        }
    }

    private static func completed(_ routes: String) -> String {
        var text = routes
        if !text.contains("listen:") { text = "listen: 127.0.0.1:0\n" + text }
        return text.contains("version:") ? text : "version: 1\n" + text
    }

    /// Waits until the router listens. The log line that contains `listening` has the address as `127.0.0.1:PORT`.
    package func waitForStart(_ file: StaticString = #fileID, _ line: Int = #line) throws {
        let mark = Array("listening".utf8)
        let address = Array("127.0.0.1:".utf8)
        let deadline = Deadline(.seconds(20))
        var port: UInt16?
        while port == nil, !deadline.isOver, !process.hasExited {
            port = process.errors.wait(until: Deadline(.milliseconds(200))) { bytes in
                guard let start = bytes.firstRange(of: mark, from: 0), let found = bytes.firstRange(of: address, from: start.upperBound)
                else { return nil }
                let digits = bytes[found.upperBound...].prefix { (48...57).contains($0) }
                guard found.upperBound + digits.count < bytes.count else { return nil }
                return UInt16(String(decoding: digits, as: UTF8.self))
            }
        }
        guard let port else {
            process.kill()
            try process.waitForOutputEnd(file: file, line: line)
            throw TestFailure("the router did not start to listen; standard error:\n\(standardError)", CallSite(file, line))
        }
        boundPort.update { $0 = port }
    }
}
