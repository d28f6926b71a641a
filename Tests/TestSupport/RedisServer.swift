import Glibc

/// A Redis server on a free port and a Unix socket, with a password. It is killed when the last reference is released.
package final class RedisServer: Sendable {
    package static let password = "p@ss:w/rd"
    /// The password in an address.
    private static let encodedPassword = "p%40ss%3Aw%2Frd"

    package let port: UInt16
    /// 0: the server has no certificate.
    package let tlsPort: UInt16
    package let folder: TemporaryFolder
    private let options: [String]
    private let running: Watched<ChildProcess>

    /// Starts the server, and waits until it accepts connections.
    ///
    /// - Parameters:
    ///   - certificate: the folder with `localhost.pem`, `localhost.key.pem` and `ca.pem`; nil: no TLS.
    ///   - options: more of the server's options.
    package init(certificates: String? = nil, options: [String] = [], file: StaticString = #fileID, line: Int = #line) throws {
        folder = try TemporaryFolder()
        port = try Self.freePort()
        tlsPort = certificates == nil ? 0 : try Self.freePort()
        var all = [
            "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", "\(folder.path)/redis.sock", "--requirepass", Self.password,
            "--dir", folder.path, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
        ]
        if let certificates {
            all += [
                "--tls-port", "\(tlsPort)", "--tls-cert-file", "\(certificates)/localhost.pem", "--tls-key-file",
                "\(certificates)/localhost.key.pem", "--tls-ca-cert-file", "\(certificates)/ca.pem", "--tls-auth-clients", "no",
            ]
        }
        self.options = all + options
        running = Watched(try Self.start(self.options))
        try waitForStart(file, line)
    }

    deinit {
        process.kill()
        let data = "\(folder.path)/appendonlydir"
        for name in entries(data) { unlink("\(data)/\(name)") }
        rmdir(data)
    }

    package var process: ChildProcess { running.read { $0 } }

    /// Sends SIGKILL, and returns when the server has ended.
    package func kill() { process.kill() }

    /// Starts the server again, with the data that it has written.
    package func restart(file: StaticString = #fileID, line: Int = #line) throws {
        kill()
        let process = try Self.start(options)
        running.update { $0 = process }
        try waitForStart(file, line)
    }

    /// Stops the server without closing its connections: it accepts, and doesn't respond.
    package func pause() { process.signal(SIGSTOP) }
    package func resume() { process.signal(SIGCONT) }

    package var address: String { "redis://:\(Self.encodedPassword)@127.0.0.1:\(port)" }
    package var tlsAddress: String { "rediss://:\(Self.encodedPassword)@localhost:\(tlsPort)" }
    package var socketAddress: String { "unix://:\(Self.encodedPassword)@\(folder.path)/redis.sock" }

    /// The output of `redis-cli`.
    package func command(_ words: String..., file: StaticString = #fileID, line: Int = #line) throws -> String {
        try command(words, file: file, line: line)
    }

    package func command(_ words: [String], file: StaticString = #fileID, line: Int = #line) throws -> String {
        let client = try ChildProcess(
            Self.program("redis-cli"), ["-p", "\(port)", "--no-auth-warning", "-a", Self.password] + words, environment: [:])
        _ = try client.waitForExit(within: .seconds(10), file: file, line: line)
        try client.waitForOutputEnd(file: file, line: line)
        let output = String(decoding: client.output.read { $0 }, as: UTF8.self)
        return output.last == "\n" ? String(output.dropLast()) : output
    }

    private static func start(_ options: [String]) throws -> ChildProcess {
        try ChildProcess(program("redis-server"), options, environment: [:])
    }

    private static func program(_ name: String) throws -> String {
        let places: [String] = ["/usr/bin/\(name)", "/usr/local/bin/\(name)"]
        guard let found = places.first(where: { access($0, X_OK) == 0 }) else {
            throw TestFailure("there is no \(name); install it with 'make redis'", CallSite(#fileID, #line))
        }
        return found
    }

    private func waitForStart(_ file: StaticString, _ line: Int) throws {
        let mark = Array("Ready to accept connections".utf8)
        guard process.output.wait(until: Deadline(.seconds(20)), for: { $0.firstRange(of: mark, from: 0) }) != nil else {
            throw TestFailure(
                "Redis did not start:\n\(String(decoding: process.output.read { $0 }, as: UTF8.self))", CallSite(file, line))
        }
    }

    /// A port that was free a moment ago. Redis can't choose one itself.
    private static func freePort() throws -> UInt16 {
        let listener = try Listener { _ in }
        listener.stop()
        return listener.port
    }
}
