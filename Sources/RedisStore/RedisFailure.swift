import Glibc
import NIOCore
import NIOPosix

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
        default: "can't be reached: \(text(system: error))"
        }
    }

    /// Without the source location that NIO adds.
    private static func text(system error: any Error) -> String {
        guard let error = error as? IOError else { return String(decoding: "\(error)".utf8.prefix(maxTextBytes), as: UTF8.self) }
        return String(cString: strerror(error.errnoCode)).lowercased()
    }
}
