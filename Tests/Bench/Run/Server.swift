import Glibc

/// A started server: the mock itself, nginx or the router in front of it.
struct Server {
    enum Kind: String, CaseIterable {
        /// The generator talks to the mock: what the tools themselves cost.
        case direct, nginx, router
    }

    let kind: Kind
    let endpoint: Endpoint
    let child: Child
    /// From the spawn to the first 200 on /v1/models.
    let startup: Nanoseconds
    private let folder: String

    var meter: ProcessMeter { ProcessMeter(pid: child.pid) }

    /// Starts it and waits for its first response.
    init(_ kind: Kind, _ arguments: [String], folder: String, endpoint: Endpoint) throws {
        (self.kind, self.endpoint, self.folder) = (kind, endpoint, folder)
        let start = monotonicNow()
        child = try Child(arguments, output: "\(folder)/access.log", errors: "\(folder)/errors.log")
        do {
            try Server.awaitResponse(endpoint, child, folder)
        } catch {
            child.end()
            throw error
        }
        startup = monotonicNow() - start
    }

    /// Logs grow by a gigabyte in a long run, and nobody reads them.
    func emptyLog() {
        truncate("\(folder)/access.log", 0)
    }

    private static func awaitResponse(_ endpoint: Endpoint, _ child: Child, _ folder: String) throws {
        let deadline = monotonicNow() + .seconds(10)
        var status = 0
        while monotonicNow() < deadline {
            try Interrupts.check()
            status = ask(endpoint) ?? status
            if status == 200 { return }
            guard child.isRunning else { throw Failure("'\(folder)' ended before its first response; it said:\n\(said(folder))") }
            pause(status == 0 ? 200_000 : .milliseconds(5))
        }
        throw Failure("no 200 on /v1/models from '\(folder)' within 10 s (last status: \(status)); it said:\n\(said(folder))")
    }

    /// The workspace is gone by the time that somebody reads the failure.
    private static func said(_ folder: String) -> String {
        ["errors.log", "access.log"].map { (Files.read("\(folder)/\($0)") ?? "").suffix(2000) }.joined()
    }

    /// One GET on a fresh connection: its status, or nil where nobody listens yet.
    private static func ask(_ endpoint: Endpoint) -> Int? {
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
