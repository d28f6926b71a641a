import NIOCore
package import NIOPosix
import NIOSSL
import Synchronization

/// What a TLS context is made of.
package struct TLSSettings: Hashable, Sendable {
    /// PEM file with the trusted certificates, in place of the system's; `SSL_CERT_FILE`.
    package var certificateFile: String?
    /// Directory with trusted certificates, hashed as by `openssl rehash`; `SSL_CERT_DIR`.
    package var certificateDirectory: String?

    package init(certificateFile: String? = nil, certificateDirectory: String? = nil) {
        self.certificateFile = certificateFile
        self.certificateDirectory = certificateDirectory
    }
}

/// The one TLS context for a setting: made on first use (7 ms, 1 MiB), off the event loops, then shared by all. Certificates and names are always verified.
package final class TLSContextProvider: Sendable {
    private let settings: TLSSettings
    private let threadPool: NIOThreadPool
    private let made = Mutex<NIOSSLContext?>(nil)

    package init(settings: TLSSettings, threadPool: NIOThreadPool = .singleton) {
        self.settings = settings
        self.threadPool = threadPool
    }

    /// Fails where a file of the settings can't be read; the next use tries again.
    func context(on eventLoop: any EventLoop) -> EventLoopFuture<NIOSSLContext> {
        if let context = made.withLock({ $0 }) { return eventLoop.makeSucceededFuture(context) }
        return threadPool.runIfActive(eventLoop: eventLoop) { [self] in
            try made.withLock { made in
                if let made { return made }
                let context = try NIOSSLContext(configuration: configuration)
                made = context
                return context
            }
        }
    }

    private var configuration: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .fullVerification
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        switch (settings.certificateFile, settings.certificateDirectory) {
        case (nil, nil): break
        case (let file?, nil): configuration.trustRoots = .file(file)
        case (nil, let directory?): configuration.trustRoots = .file(directory)
        case (let file?, let directory?):
            configuration.trustRoots = .file(file)
            configuration.additionalTrustRoots = [.file(directory)]
        }
        return configuration
    }
}
