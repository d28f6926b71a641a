import Codecs
import Engine
import Glibc
import HTTPWire
import Logging
import NIOCore
import RoutingPolicy
import Synchronization
import Telemetry

/// The sockets that the process listens on, and their certificates. A reload opens the new sockets before it closes
/// the old ones, and reads all certificates again; the connections that are open keep theirs.
actor Listeners: PolicyResource {
    private let server: Server
    private let logger: Logger
    private var open: [ListenAddress: BoundListener] = [:]
    /// What the metrics show of the certificates.
    nonisolated private let shownCertificates = Mutex<[CertificateFigures]>([])

    init(server: Server, logger: Logger) {
        self.server = server
        self.logger = logger
    }

    /// The certificates in use.
    nonisolated var certificates: [CertificateFigures] { shownCertificates.withLock { $0 } }

    func prepare(_ policy: RoutingPolicy) async throws -> any PreparedResource {
        var starts: [ListenAddress: ConnectionStart] = [:]
        for listener in policy.listen {
            do throws(ServerTLS.Failure) {
                let tls = try listener.tls.map { tls throws(ServerTLS.Failure) in try ServerTLS(tls) }
                starts[listener.address] = ConnectionStart(tls: tls, readsProxyHeader: listener.readsProxyHeader)
            } catch {
                throw ResourceFailure(description: "the listener '\(listener.address)' has no TLS: \(error)")
            }
        }
        var added: [ListenAddress: BoundListener] = [:]
        for definition in policy.listen where open[definition.address] == nil && added[definition.address] == nil {
            let address = definition.address
            do {
                let owner = try SocketOwner(definition)
                added[address] = try await server.bind(BindAddress(address), starts[address] ?? ConnectionStart())
                try owner.apply(to: address)
            } catch {
                await close(added)
                throw ResourceFailure(
                    description: "can't listen on '\(address)': \(Self.reason(error)); free the address or change 'listen'")
            }
        }
        return Prepared(listeners: self, added: added, starts: starts, policy: policy)
    }

    func closeAll() async {
        await close(open)
        open = [:]
    }

    private func close(_ listeners: [ListenAddress: BoundListener]) async {
        for listener in listeners.values { await server.close(listener) }
    }

    private func commit(_ added: [ListenAddress: BoundListener], _ starts: [ListenAddress: ConnectionStart], _ policy: RoutingPolicy) async
    {
        server.updateLimits(ServerLimits(policy.server))
        for (address, listener) in open {
            if let start = starts[address] {
                let earlier = listener.start.tls?.certificate
                listener.begin(start)
                if let tls = start.tls, tls.certificate != earlier {
                    logger.notice("new connections get another certificate", metadata: Self.metadata(listener, address))
                }
            } else {
                open[address] = nil
                await server.close(listener)
                logger.notice("no longer listening", metadata: ["address": "\(Self.text(listener, address))"])
            }
        }
        for definition in policy.listen {
            let address = definition.address
            guard let listener = added[address] else {
                // The permissions of a socket that stays may have changed.
                do { try SocketOwner(definition).apply(to: address) } catch {
                    logger.error("a listener keeps its owner and mode", metadata: ["address": "\(address)", "reason": "\(error)"])
                }
                continue
            }
            open[address] = listener
            logger.notice("listening", metadata: Self.metadata(listener, address))
        }
        let figures = open.compactMap { address, listener in
            listener.start.tls.map { CertificateFigures(listener: "\(address)", expires: $0.expires) }
        }
        shownCertificates.withLock { $0 = figures.sorted { $0.listener < $1.listener } }
    }

    private static func metadata(_ listener: BoundListener, _ address: ListenAddress) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["address": "\(text(listener, address))"]
        if let expires = listener.start.tls?.expires { metadata["certificate_expires"] = "\(WireDate.rfc3339(expires))" }
        return metadata
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
        let starts: [ListenAddress: ConnectionStart]
        let policy: RoutingPolicy

        func commit() async { await listeners.commit(added, starts, policy) }
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

extension ServerTLS {
    init(_ tls: ListenerTLS) throws(Failure) {
        try self.init(
            Settings(
                certificate: tls.certificate, key: tls.key, clientCA: tls.clientCA, requiresTLS13: tls.minVersion == .tls13))
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
        trustedProxies = TrustedProxies(settings.trustedProxies)
    }
}

extension TrustedProxies {
    init(_ proxies: [TrustedProxy]) {
        var ranges: [AddressRange] = []
        for case .range(let bytes, let bits) in proxies.map(\.place) { ranges.append(AddressRange(bytes: bytes, bits: bits)) }
        self.init(ranges, includesLocal: proxies.contains { $0.place == .local })
    }
}
