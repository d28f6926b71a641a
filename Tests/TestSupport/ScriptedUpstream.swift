/// A mock provider on a real socket. Each connection has a thread, which runs the script for each request. All requests
/// are recorded.
package final class ScriptedUpstream: Sendable {
    /// Sends the response to one request. When it returns, the connection waits for the next request, unless the script
    /// has closed it.
    package typealias Script = @Sendable (UpstreamExchange) throws -> Void

    /// A request as it arrived.
    package struct ReceivedRequest: Sendable {
        package let connection: Int
        package let head: HTTPHead
        package let body: [UInt8]
        package let at: ContinuousClock.Instant
        /// When the router closed or reset the connection during or after this request; nil before that.
        package internal(set) var closedAt: ContinuousClock.Instant?

        package var json: JSON? { JSON(body) }
        package var text: String { head.raw + String(decoding: body, as: UTF8.self) }
    }

    struct State: Sendable {
        var connections = 0
        var open: [Int: Socket] = [:]
        var requests: [ReceivedRequest] = []
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

    /// Runs the first script for the first request, the second for the second, and so on; the last one repeats.
    package convenience init(each scripts: [Script]) throws {
        try self.init { exchange in
            guard !scripts.isEmpty else { return }
            try scripts[min(exchange.number, scripts.count - 1)](exchange)
        }
    }

    deinit { stop() }

    package var port: UInt16 { listener.port }
    package var requests: [ReceivedRequest] { state.read(\.requests) }
    package var connections: Int { state.read(\.connections) }
    /// The bytes that the kernel has accepted from the scripts, over all connections.
    package var sentBytes: Int { state.read(\.sentBytes) }
    package var openConnections: Int { state.read(\.open.count) }

    /// Closes the listener and all connections.
    package func stop() {
        listener.stop()
        for socket in state.read({ Array($0.open.values) }) { socket.abort() }
    }

    /// - Parameter number: counted over all connections, from 0.
    @discardableResult
    package func waitForRequest(
        _ number: Int = 0, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> ReceivedRequest {
        let request = state.wait(until: Deadline(limit)) { $0.requests.count > number ? $0.requests[number] : nil }
        guard let request else { throw TestFailure("request \(number) did not reach the upstream within \(limit)", CallSite(file, line)) }
        return request
    }

    /// Returns the number of sent bytes as soon as it exceeds `bytes`, or after `limit`.
    package func waitForSentBytes(moreThan bytes: Int, within limit: Duration) -> Int {
        state.wait(until: Deadline(limit)) { $0.sentBytes > bytes ? $0.sentBytes : nil } ?? sentBytes
    }

    /// Returns when the router closed the connection of that request.
    @discardableResult
    package func waitForPeerClose(
        _ number: Int = 0, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> ContinuousClock.Instant {
        let closed = state.wait(until: Deadline(limit)) { $0.requests.count > number ? $0.requests[number].closedAt : nil }
        guard let closed else { throw TestFailure("the router did not close request \(number) within \(limit)", CallSite(file, line)) }
        return closed
    }
}
