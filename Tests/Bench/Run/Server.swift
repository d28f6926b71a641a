import Glibc

/// A running server: the mock, or nginx or the router in front of it.
struct Server {
    enum Kind: String, CaseIterable {
        /// `direct` is the mock without a proxy: the cost of the tools themselves.
        case direct, nginx, router
    }

    let kind: Kind
    let endpoint: Endpoint
    let child: Child
    /// The time from the spawn to the first 200 on /v1/models.
    let startup: Nanoseconds
    private let folder: String

    var meter: ProcessMeter { ProcessMeter(pid: child.pid) }

    /// Starts the server and waits until it responds.
    init(_ kind: Kind, _ arguments: [String], folder: String, endpoint: Endpoint) throws {
        (self.kind, self.endpoint, self.folder) = (kind, endpoint, folder)
        let start = monotonicNow()
        child = try Child(arguments, output: "\(folder)/access.log", errors: "\(folder)/errors.log")
        do {
            try Server.waitForResponse(endpoint, child, folder)
        } catch {
            child.end()
            throw error
        }
        startup = monotonicNow() - start
    }

    /// Empties the access log, which would grow by a gigabyte in a long run.
    func emptyLog() {
        truncate("\(folder)/access.log", 0)
    }

    private static func waitForResponse(_ endpoint: Endpoint, _ child: Child, _ folder: String) throws {
        let deadline = monotonicNow() + .seconds(10)
        var status = 0
        while monotonicNow() < deadline {
            try Interrupts.check()
            status = modelsStatus(endpoint) ?? status
            if status == 200 { return }
            guard child.isRunning else {
                throw Failure("the server in '\(folder)' exited before its first response; its logs:\n\(logs(folder))")
            }
            pause(status == 0 ? 200_000 : .milliseconds(5))
        }
        throw Failure(
            "no 200 on /v1/models from the server in '\(folder)' within 10 s, last status \(status); its logs:\n\(logs(folder))")
    }

    /// The ends of the server's logs. A failure quotes them, because the workspace is removed.
    private static func logs(_ folder: String) -> String {
        ["errors.log", "access.log"].map { (Files.read("\(folder)/\($0)") ?? "").suffix(2000) }.joined()
    }

    /// The status of a GET on a new connection, or nil if nothing listens yet.
    private static func modelsStatus(_ endpoint: Endpoint) -> Int? {
        guard let socket = try? Socket.connected(to: endpoint.port) else { return nil }
        defer { close(socket) }
        let request = endpoint.modelsRequest()
        guard send(socket, request, request.count, CInt(MSG_NOSIGNAL)) == request.count else { return nil }
        var received = ByteQueue(capacity: 8192)
        defer { received.deallocate() }
        var reader = ResponseReader()
        while reader.state != .complete, reader.state != .malformed {
            var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 2000) > 0, received.receive(from: socket) > 0 else { return nil }
            received.consume(reader.take(received.bytes) { _ in })
        }
        return reader.status
    }
}
