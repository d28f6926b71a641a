import NIOCore
import Synchronization

/// The state that the server's connections on one event loop share.
final class ServerLoop: @unchecked Sendable {  // confined to its event loop, except for the two atomic counts
    let eventLoop: any EventLoop
    /// The number of accepted connections that are not closed yet.
    let connectionCount = Atomic(0)
    let exchangeCount = Atomic(0)
    let flushes: FlushQueue
    var settings: ConnectionSettings
    private(set) var isDraining = false
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    var date = HTTPDate()
    /// The input of connections that have no bytes.
    let noBytes = ByteBuffer.unshared()
    let budget: BufferBudget
    let spool: BodySpool
    let acceptPause: AcceptPause

    init(eventLoop: any EventLoop, limits: ServerLimits, budget: BufferBudget, spool: BodySpool, acceptPause: AcceptPause) {
        self.eventLoop = eventLoop
        settings = ConnectionSettings(limits)
        self.budget = budget
        self.spool = spool
        self.acceptPause = acceptPause
        flushes = FlushQueue(eventLoop: eventLoop)
    }

    func add(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = connection
    }

    func remove(_ connection: ServerConnection) {
        connections.removeValue(forKey: ObjectIdentifier(connection))
    }

    func closeConnections() {
        for connection in Array(connections.values) { connection.closeNow() }
    }

    func refuseIncompleteRequests(_ fault: WireFault) {
        for connection in Array(connections.values) { connection.refuseIncompleteRequest(fault) }
    }

    func startDraining() {
        isDraining = true
        for connection in Array(connections.values) { connection.closeIfIdle() }
    }
}
