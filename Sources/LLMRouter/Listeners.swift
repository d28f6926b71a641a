import Engine
import Glibc
import HTTPWire
import Logging
import NIOCore
import RoutingPolicy

/// The sockets that the process listens on. A reload opens the new sockets before it closes the old ones.
actor Listeners: ListenerSet {
    private let server: Server
    private let logger: Logger
    private var open: [ListenAddress: BoundListener] = [:]

    init(server: Server, logger: Logger) {
        self.server = server
        self.logger = logger
    }

    func prepare(_ addresses: [ListenAddress]) async throws -> any PreparedListeners {
        var added: [ListenAddress: BoundListener] = [:]
        for address in addresses where open[address] == nil && added[address] == nil {
            do {
                added[address] = try await server.bind(BindAddress(address))
            } catch {
                for listener in added.values { await server.close(listener) }
                throw ListenFailure(description: "can't listen on '\(address)': \(Self.reason(error)); free the address or change 'listen'")
            }
        }
        return Prepared(listeners: self, added: added, addresses: Set(addresses))
    }

    func closeAll() async {
        for listener in open.values { await server.close(listener) }
        open = [:]
    }

    private func commit(_ added: [ListenAddress: BoundListener], _ addresses: Set<ListenAddress>, _ settings: ServerSettings) async {
        server.updateLimits(ServerLimits(settings))
        for (address, listener) in added {
            open[address] = listener
            logger.notice("listening", metadata: ["address": "\(Self.text(listener, address))"])
        }
        for (address, listener) in open where !addresses.contains(address) {
            open[address] = nil
            await server.close(listener)
            logger.notice("no longer listening", metadata: ["address": "\(Self.text(listener, address))"])
        }
    }

    private static func reason(_ error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)).lowercased() } ?? "\(error)"
    }

    /// The address for the log, with the port that the system chose for port 0.
    private static func text(_ listener: BoundListener, _ address: ListenAddress) -> String {
        guard case .tcp = address, let bound = listener.address, let host = bound.ipAddress, let port = bound.port else {
            return "\(address)"
        }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private struct Prepared: PreparedListeners {
        let listeners: Listeners
        let added: [ListenAddress: BoundListener]
        /// All addresses of the new policy.
        let addresses: Set<ListenAddress>

        func commit(_ settings: ServerSettings) async {
            await listeners.commit(added, addresses, settings)
        }
    }
}

struct ListenFailure: Error, CustomStringConvertible {
    var description: String
}

extension BindAddress {
    init(_ address: ListenAddress) {
        switch address {
        case .tcp(let host, let port): self = .tcp(host: host, port: Int(port))
        case .unix(let path): self = .unix(path: path)
        }
    }
}

extension ServerLimits {
    init(_ settings: ServerSettings) {
        self.init()
        headTimeout = settings.headTimeout
        bodyTimeout = settings.bodyTimeout
        bodyTotal = settings.bodyTotal
        writeStall = settings.writeStall
        maxBodyBytes = settings.maxBodyBytes
    }
}
