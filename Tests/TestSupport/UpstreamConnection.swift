/// One connection of a scripted upstream: reads requests and hands each to the script.
final class UpstreamConnection {
    private let reader: MessageReader
    private let connection: Int
    private let state: Watched<ScriptedUpstream.State>
    private var last: Int?

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

    /// A script's own waits are bounded; the wait for a request ends with the connection, or when the upstream is stopped.
    private func readRequest() throws -> UpstreamExchange {
        let deadline = Deadline(.seconds(600))
        let head = try reader.readHead(deadline)
        let body = try reader.readBody(head, untilClose: false, deadline)
        let number = state.update { state in
            state.seen.append(.init(connection: connection, head: head, body: body, at: .now, closedAt: nil))
            return state.seen.count - 1
        }
        last = number
        return UpstreamExchange(number: number, head: head, body: body, reader: reader, state: state)
    }

    private func markClosed() {
        guard let last else { return }
        state.update { if $0.seen[last].closedAt == nil { $0.seen[last].closedAt = .now } }
    }
}
