import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Failures of a Redis server, as they continue the sentence "the Redis server at … ".
enum RedisFailure {
    /// By the first word of an error reply. Source: Redis' `server.c` and `acl.c`.
    private static let words = [
        "WRONGPASS": "refuses the user or the password", "NOAUTH": "wants a password",
        "NOPERM": "doesn't let this user run the router's commands; docs/scaling.md lists them", "LOADING": "is loading its data",
        "READONLY": "is a replica, which can't be written", "OOM": "is out of memory", "MISCONF": "can't write its data to its disk",
        "BUSY": "is busy with a script", "NOSCRIPT": "has forgotten the router's scripts", "MASTERDOWN": "has lost its master",
        "MOVED": "is one of a Redis Cluster whose other nodes have some of the keys", "NOREPLICAS": "has too few replicas",
    ]
    private static let maxTextBytes = 160

    /// - Parameter isSafe: whether the text can't repeat a password that was sent before.
    static func text(ofError error: String, isSafe: Bool) -> String {
        let word = String(error.prefix { $0.isLetter })
        if let text = words[word] { return text }
        return isSafe ? "reports an error: \(String(decoding: error.utf8.prefix(maxTextBytes), as: UTF8.self))" : "refuses the login"
    }

    static func text(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError where error.connectionErrors.isEmpty:
            "has a host name that can't be resolved"
        case let error as NIOConnectionError:
            "can't be reached: \(error.connectionErrors.map { text(system: $0.error) }.joined(separator: "; "))"
        case ChannelError.connectTimeout: "can't be reached in time"
        case NIOSSLError.uncleanShutdown: "has closed the connection"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "has a certificate for another name; write a host name that is in the certificate"
        case is NIOSSLError, is BoringSSLError: text(tls: error)
        default: "can't be reached: \(text(system: error))"
        }
    }

    /// The library has no type for the reason, only BoringSSL's name of it in a text with source paths.
    private static func text(tls error: any Error) -> String {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return
                "has a certificate that is not trusted: it is self-signed, of an unknown authority, or not valid now; if the authority is your own, set SSL_CERT_FILE to its PEM file and restart the router"
        }
        if ["WRONG_VERSION_NUMBER", "EOF during handshake"].contains(where: text.contains) {
            return "does not speak TLS; check the port, or write 'redis://'"
        }
        return "can't agree on TLS with the router; check its port and its versions of TLS"
    }

    /// Without the source location that NIO adds.
    private static func text(system error: any Error) -> String {
        guard let error = error as? IOError else { return String(decoding: "\(error)".utf8.prefix(maxTextBytes), as: UTF8.self) }
        return String(cString: strerror(error.errnoCode)).lowercased()
    }
}
