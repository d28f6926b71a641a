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
    private let settings: TLSSettings
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
        let named = settings.certificateFile.map { ("SSL_CERT_FILE", $0) } ?? settings.certificateDirectory.map { ("SSL_CERT_DIR", $0) }
        guard let (variable, path) = named else {
            description = "the system's trusted certificates can't be read; install ca-certificates, or set SSL_CERT_FILE to a PEM file"
            return
        }
        let isReadable = access(path, R_OK) == 0
        let problem = isReadable ? "has no certificate in PEM form" : "can't be read: \(String(cString: strerror(errno)))"
        description = "\(variable) names '\(path)', which \(problem); correct it and restart the router"
    }
}
