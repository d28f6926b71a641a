import NIOCore
import ProviderKit
import RoutingPolicy
import Synchronization

/// A bearer token in a file, which something else renews. All event loops share it.
///
/// The file is read again for the first request after ten seconds, and at once if the provider has refused the token.
/// A local file of this size is read in some 20 µs, so it is read on the event loop.
final class TokenFile: Sendable {
    static let maxBytes = 64 << 10
    static let maxAge = Duration.seconds(10)

    private struct State {
        var token: Secret?
        /// The token before it, which an upstream may still speak of.
        var previous: Secret?
        var readAt: NIODeadline?
        var changedAt: NIODeadline?
    }

    let path: String
    private let source: any PolicySource
    private let state = Mutex(State())

    init(path: String, source: any PolicySource = SystemPolicySource()) {
        self.path = path
        self.source = source
    }

    /// The token and the one before it, as they were read.
    var tokens: [Secret] { state.withLock { [$0.token, $0.previous].compactMap { $0 } } }

    /// The token. If the file can't be read, it is the last one.
    ///
    /// Throws ``FailureClass/providerRejected`` if there is none.
    func token(now: NIODeadline) throws(ProviderError) -> Secret {
        let (token, problem) = state.withLock { state -> (Secret?, String) in
            if let token = state.token, let readAt = state.readAt, now - readAt < Self.maxAge { return (token, "") }
            state.readAt = now
            do throws(PolicySourceError) {
                let token = try Self.token(try source.read(path, limit: Self.maxBytes))
                if token != state.token { (state.previous, state.changedAt) = (state.token, now) }
                state.token = token
                return (token, "")
            } catch {
                return (state.token, error.reason(limit: Self.maxBytes))
            }
        }
        if let token { return token }
        throw ProviderError(.providerRejected, message: "the token file '\(path)' \(problem)", code: "token_file")
    }

    /// Reads the file again after a refusal. Returns whether the token is another one than that of a request.
    ///
    /// - Parameter startedAt: when the request was made.
    func hasChanged(since startedAt: NIODeadline, now: NIODeadline) -> Bool {
        state.withLock { $0.readAt = nil }
        _ = try? token(now: now)
        return state.withLock { $0.changedAt.map { $0 > startedAt } ?? false }
    }

    /// The token in a file's bytes, without white space around it.
    private static func token(_ bytes: [UInt8]) throws(PolicySourceError) -> Secret {
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 1, words[0].utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            throw .unreadable("contains no token, or more than one word")
        }
        return Secret(String(words[0]))
    }
}
