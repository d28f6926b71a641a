import Glibc
package import NIOCore
package import NIOPosix
package import NIOSSL
import Synchronization

/// The settings of a TLS context.
package struct TLSSettings: Hashable, Sendable {
    /// A PEM file of trusted certificates that replaces the system's. Source: `SSL_CERT_FILE`.
    package var certificateFile: String?
    /// A directory of trusted certificates with the links that `openssl rehash` makes, or a list of directories
    /// separated by ':', of which the first existing one is used. Source: `SSL_CERT_DIR`.
    package var certificateDirectory: String?

    /// An empty value counts as nil.
    package init(certificateFile: String? = nil, certificateDirectory: String? = nil) {
        self.certificateFile = certificateFile?.isEmpty == true ? nil : certificateFile
        self.certificateDirectory = certificateDirectory?.isEmpty == true ? nil : certificateDirectory
    }
}

/// Creates one TLS context on first use (7 ms, 1 MiB), outside the event loops, and shares it. Certificates and host
/// names are always verified.
package final class TLSContextProvider: Sendable {
    let settings: TLSSettings
    /// What the client speaks over TLS, for the server to choose from (ALPN); empty: it doesn't say.
    private let protocols: [String]
    private let threadPool: NIOThreadPool
    private let cached = Mutex<NIOSSLContext?>(nil)

    package init(settings: TLSSettings, protocols: [String] = ["http/1.1"], threadPool: NIOThreadPool = .singleton) {
        self.settings = settings
        self.protocols = protocols
        self.threadPool = threadPool
    }

    /// The shared context. Fails if a file of the settings can't be read; the next call tries again.
    package func context(on eventLoop: any EventLoop) -> EventLoopFuture<NIOSSLContext> {
        if let context = cached.withLock({ $0 }) { return eventLoop.makeSucceededFuture(context) }
        return threadPool.runIfActive(eventLoop: eventLoop) { [self] in
            try cached.withLock { cached in
                if let cached { return cached }
                let context: NIOSSLContext
                do { context = try NIOSSLContext(configuration: configuration) } catch { throw UnreadableCertificates(settings) }
                cached = context
                return context
            }
        }
    }

    private var configuration: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .fullVerification
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = protocols
        // As in OpenSSL, whichever of the two exist are used. The additional trust roots must be a file.
        let directory = settings.certificateDirectory?.split(separator: ":").map(String.init).first(where: isDirectory)
        let file = settings.certificateFile.flatMap { access($0, R_OK) == 0 || directory == nil ? $0 : nil }
        if let directory {
            configuration.trustRoots = .file(directory)
            if let file { configuration.additionalTrustRoots = [.file(file)] }
        } else if let named = file ?? settings.certificateDirectory {
            configuration.trustRoots = .file(named)
        }
        return configuration
    }
}

private func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The library's own errors name neither the file nor the reason.
private struct UnreadableCertificates: Error, CustomStringConvertible {
    let description: String

    init(_ settings: TLSSettings) {
        let problem = settings.problem ?? settings.named.map { "\($0.variable) names '\($0.path)', which has no certificate in PEM form" }
        description =
            problem.map { "\($0); correct it and restart the router" }
            ?? "the system's trusted certificates can't be read; install ca-certificates, or set SSL_CERT_FILE to a PEM file"
    }
}

extension TLSSettings {
    /// The variable that names the trusted certificates first of all.
    fileprivate var named: (variable: String, path: String)? {
        certificateFile.map { ("SSL_CERT_FILE", $0) } ?? certificateDirectory.map { ("SSL_CERT_DIR", $0) }
    }

    /// Why the file or the folder that is named first can't be used; nil if it can be read. As in OpenSSL, a directory
    /// is used beside a file that is missing, so this alone fails no connection.
    package var problem: String? {
        guard let named, access(named.path, R_OK) != 0 else { return nil }
        return "\(named.variable) names '\(named.path)', which can't be read: \(String(cString: strerror(errno)))"
    }
}
