import Glibc
import NIOCore
package import NIOPosix
import NIOSSL
import Synchronization

/// What a TLS context is made of.
package struct TLSSettings: Hashable, Sendable {
    /// PEM file with the trusted certificates, in place of the system's; `SSL_CERT_FILE`.
    package var certificateFile: String?
    /// Directory with trusted certificates, hashed as by `openssl rehash`, or a list with ':' of which the first that is there counts; `SSL_CERT_DIR`.
    package var certificateDirectory: String?

    /// Empty is as good as nil.
    package init(certificateFile: String? = nil, certificateDirectory: String? = nil) {
        self.certificateFile = certificateFile?.isEmpty == true ? nil : certificateFile
        self.certificateDirectory = certificateDirectory?.isEmpty == true ? nil : certificateDirectory
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
                let context: NIOSSLContext
                do { context = try NIOSSLContext(configuration: configuration) } catch { throw UnreadableCertificates(error: error) }
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
        // As OpenSSL does it: of the two what is there counts. What is added to the other must be a file.
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

private struct UnreadableCertificates: Error, CustomStringConvertible {
    let error: any Error

    var description: String { "the trusted certificates can't be read (\(error)); check SSL_CERT_FILE and SSL_CERT_DIR" }
}
