/// One connection of a scripted upstream: reads requests and runs the script for each.
final class UpstreamConnection {
    private let reader: MessageReader
    private let connection: Int
    private let state: Watched<ScriptedUpstream.State>
    private var lastRequest: Int?

    init(_ socket: Socket, _ connection: Int, _ state: Watched<ScriptedUpstream.State>) {
        reader = MessageReader(socket)
        self.connection = connection
        self.state = state
    }

    func serve(_ script: ScriptedUpstream.Script) {
        do {
            while true {
                let exchange = try readRequest()
                try script(exchange)
                if exchange.isClosed { return }
            }
        } catch {
            markClosed()
        }
    }

    /// The wait for a request ends when the connection is closed or the upstream is stopped, so its limit is high.
    private func readRequest() throws -> UpstreamExchange {
        let deadline = Deadline(.seconds(600))
        let head = try reader.readHead(deadline)
        let body = try reader.readBody(head, untilClose: false, deadline)
        let number = state.update { state in
            state.requests.append(.init(connection: connection, head: head, body: body, at: .now, closedAt: nil))
            return state.requests.count - 1
        }
        lastRequest = number
        return UpstreamExchange(number: number, head: head, body: body, reader: reader, state: state)
    }

    private func markClosed() {
        guard let lastRequest else { return }
        state.update { if $0.requests[lastRequest].closedAt == nil { $0.requests[lastRequest].closedAt = .now } }
    }
}
