import NIOCore
import NIOSSL

/// The certificates of a listener, read from their files once. A reload makes a new one.
package struct ServerTLS: Sendable {
    /// Where the certificates are, and what clients must have.
    package struct Settings: Sendable {
        /// PEM files. `certificate` has the server's own first, and then those between it and its root.
        package var certificate: String
        package var key: String
        /// The authorities that sign the certificates of clients; nil: clients need none.
        package var clientCA: String?
        /// Whether clients must speak TLS 1.3.
        package var requiresTLS13: Bool

        package init(certificate: String, key: String, clientCA: String? = nil, requiresTLS13: Bool = false) {
            (self.certificate, self.key, self.clientCA, self.requiresTLS13) = (certificate, key, clientCA, requiresTLS13)
        }
    }

    /// Why the files can't be used, for the operator.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    let context: NIOSSLContext
    /// The server's own certificate in DER form.
    package let certificate: [UInt8]
    /// When the first certificate of the chain ends, in seconds since 1970.
    package let expires: Int
    /// When all certificates of the chain are valid, in seconds since 1970.
    package let begins: Int

    /// Reads the files, which takes some milliseconds.
    package init(_ settings: Settings) throws(Failure) {
        let chain = try Self.certificates(settings.certificate)
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: settings.key, format: .pem) } catch {
            throw Failure(
                description: "no private key can be read from '\(settings.key)'; it must be a readable PEM file without a passphrase")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = settings.requiresTLS13 ? .tlsv13 : .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        // How long a closed connection waits for the client's part of the farewell.
        configuration.shutdownTimeout = .seconds(1)
        if let path = settings.clientCA {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try Self.certificates(path))
            configuration.sendCANameList = true
        }
        do { context = try NIOSSLContext(configuration: configuration) } catch {
            throw Failure(
                description:
                    "the certificate in '\(settings.certificate)' and the key in '\(settings.key)' can't be used together; make one for the other"
            )
        }
        certificate = (try? chain.first?.toDERBytes()) ?? []
        expires = chain.map { Int($0.notValidAfter) }.min() ?? 0
        begins = chain.map { Int($0.notValidBefore) }.max() ?? 0
    }

    private static func certificates(_ path: String) throws(Failure) -> [NIOSSLCertificate] {
        if let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty { return certificates }
        throw Failure(description: "no certificate can be read from '\(path)'; it must be a readable PEM file")
    }
}

/// How the connections of a listener begin. It may change while the listener is open: the next connection begins in
/// the new way.
package struct ConnectionStart: Sendable {
    /// nil: plain HTTP.
    package var tls: ServerTLS?
    /// Whether a proxy says first who the client is.
    package var readsProxyHeader: Bool

    package init(tls: ServerTLS? = nil, readsProxyHeader: Bool = false) {
        (self.tls, self.readsProxyHeader) = (tls, readsProxyHeader)
    }
}

/// Counts the bytes that go to the socket. Behind TLS there are more of them than the server writes.
final class SentBytes: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private(set) var count = 0

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        count &+= unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }
}
