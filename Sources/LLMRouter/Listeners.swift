import Engine
import Glibc
import HTTPWire
import Logging
import NIOCore
import RoutingPolicy

/// The sockets that the process listens on. A reload opens the new sockets before it closes the old ones.
actor Listeners: PolicyResource {
    private let server: Server
    private let logger: Logger
    private var open: [ListenAddress: BoundListener] = [:]

    init(server: Server, logger: Logger) {
        self.server = server
        self.logger = logger
    }

    func prepare(_ policy: RoutingPolicy) async throws -> any PreparedResource {
        var added: [ListenAddress: BoundListener] = [:]
        for address in policy.listen where open[address] == nil && added[address] == nil {
            do {
                added[address] = try await server.bind(BindAddress(address))
            } catch {
                await close(added)
                throw ResourceFailure(
                    description: "can't listen on '\(address)': \(Self.reason(error)); free the address or change 'listen'")
            }
        }
        return Prepared(listeners: self, added: added, policy: policy)
    }

    func closeAll() async {
        await close(open)
        open = [:]
    }

    private func close(_ listeners: [ListenAddress: BoundListener]) async {
        for listener in listeners.values { await server.close(listener) }
    }

    private func commit(_ added: [ListenAddress: BoundListener], _ policy: RoutingPolicy) async {
        server.updateLimits(ServerLimits(policy.server))
        for (address, listener) in added {
            open[address] = listener
            logger.notice("listening", metadata: ["address": "\(Self.text(listener, address))"])
        }
        for (address, listener) in open where !policy.listen.contains(address) {
            open[address] = nil
            await server.close(listener)
            logger.notice("no longer listening", metadata: ["address": "\(Self.text(listener, address))"])
        }
    }

    private static func reason(_ error: any Error) -> String {
        (error as? IOError)?.words ?? "\(error)"
    }

    /// The address for the log, with the port that the system chose for port 0.
    private static func text(_ listener: BoundListener, _ address: ListenAddress) -> String {
        guard case .tcp = address, let bound = listener.address, let host = bound.ipAddress, let port = bound.port else {
            return "\(address)"
        }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private struct Prepared: PreparedResource {
        let listeners: Listeners
        let added: [ListenAddress: BoundListener]
        let policy: RoutingPolicy

        func commit() async { await listeners.commit(added, policy) }
        func undo() async { await listeners.close(added) }
    }
}

/// Something that the policy needs and that is not available.
struct ResourceFailure: Error, CustomStringConvertible {
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
        maxUploadBytes = settings.maxUploadBytes
    }
}
