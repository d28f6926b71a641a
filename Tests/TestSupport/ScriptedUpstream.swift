/// A mock provider on a real socket: each request runs a script on its connection's own thread, and everything seen is recorded.
package final class ScriptedUpstream: Sendable {
    /// Plays the response to one request. When it returns, the connection waits for the next request unless the script closed it.
    package typealias Script = @Sendable (UpstreamExchange) throws -> Void

    /// A request as it arrived.
    package struct Seen: Sendable {
        package let connection: Int
        package let head: HTTPHead
        package let body: [UInt8]
        package let at: ContinuousClock.Instant
        /// When the router closed or reset the connection, during or after this request.
        package internal(set) var closedAt: ContinuousClock.Instant?

        package var json: JSON? { JSON(body) }
        package var text: String { head.raw + String(decoding: body, as: UTF8.self) }
    }

    struct State: Sendable {
        var connections = 0
        var open: [Int: Socket] = [:]
        var seen: [Seen] = []
        var sentBytes = 0
    }

    let state = Watched(State())
    private let listener: Listener

    package init(_ script: @escaping Script) throws {
        let state = state
        listener = try Listener { socket in
            let connection = state.update { state in
                state.connections += 1
                state.open[state.connections] = socket
                return state.connections
            }
            startThread {
                UpstreamConnection(socket, connection, state).serve(script)
                state.update { $0.open[connection] = nil }
                socket.close()
            }
        }
    }

    /// One script after the other, by the order of the requests; the last one repeats.
    package convenience init(each scripts: [Script]) throws {
        try self.init { exchange in
            guard !scripts.isEmpty else { return }
            try scripts[min(exchange.number, scripts.count - 1)](exchange)
        }
    }

    deinit { stop() }

    package var port: UInt16 { listener.port }
    package var requests: [Seen] { state.read(\.seen) }
    package var connections: Int { state.read(\.connections) }
    /// What the kernel has taken from the scripts, over all connections.
    package var sentBytes: Int { state.read(\.sentBytes) }
    package var openConnections: Int { state.read(\.open.count) }

    /// Refuses new connections and ends the open ones.
    package func stop() {
        listener.stop()
        for socket in state.read({ Array($0.open.values) }) { socket.abort() }
    }

    @discardableResult
    package func waitForRequest(
        _ number: Int = 0, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> Seen {
        let seen = state.wait(until: Deadline(limit)) { $0.seen.count > number ? $0.seen[number] : nil }
        guard let seen else { throw TestFailure("request \(number) did not reach the upstream within \(limit)", CallSite(file, line)) }
        return seen
    }

    /// The sent bytes as soon as they exceed `bytes`, or as they stand after that time.
    package func waitForSentBytes(moreThan bytes: Int, within limit: Duration) -> Int {
        state.wait(until: Deadline(limit)) { $0.sentBytes > bytes ? $0.sentBytes : nil } ?? sentBytes
    }

    /// When the router closed the connection of that request.
    @discardableResult
    package func waitForPeerClose(
        _ number: Int = 0, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> ContinuousClock.Instant {
        let closed = state.wait(until: Deadline(limit)) { $0.seen.count > number ? $0.seen[number].closedAt : nil }
        guard let closed else { throw TestFailure("the router did not close request \(number) within \(limit)", CallSite(file, line)) }
        return closed
    }
}
