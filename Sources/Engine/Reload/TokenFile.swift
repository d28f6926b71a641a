import Glibc
import NIOCore
import ProviderKit
import Synchronization

/// A bearer token in a file that another program renews, such as one of Google's or Azure's, which is valid for an
/// hour.
///
/// The file is read on the event loop of a request, at most once in ``maxAge``: a token that was read earlier may have
/// expired while the provider was not used. A local file of this size takes some microseconds.
final class TokenFile: Sendable {
    private struct Reading {
        var token: Secret?
        var readAt: NIODeadline?
        /// The token before, whose responses may still arrive.
        var before: Secret?
    }

    static let maxAge = TimeAmount.seconds(5)
    private static let maxBytes = 64 << 10

    private let path: String
    private let reading = Mutex(Reading())

    init(_ path: String) { self.path = path }

    /// The token; nil if the file can't be read, or contains none.
    func token(now: NIODeadline) -> Secret? {
        reading.withLock { reading in
            if let readAt = reading.readAt, now - readAt < Self.maxAge { return reading.token }
            let token = read()
            if token != reading.token, let last = reading.token { reading.before = last }
            reading.token = token
            reading.readAt = now
            return token
        }
    }

    /// The tokens to mask: the last one, and the one before.
    var known: [Secret] { reading.withLock { [$0.token, $0.before].compactMap { $0 } } }

    /// The file's text without the white space around it. A token consists of visible ASCII characters. Source: RFC
    /// 6750, section 2.1.
    private func read() -> Secret? {
        // Without O_NONBLOCK, opening a named pipe waits for a writer.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: Self.maxBytes), count = 0
        while count < bytes.count {
            let read = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress?.advanced(by: count), $0.count - count) }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else { return nil }
            if read == 0 { break }
            count += read
        }
        var token = bytes.prefix(count).drop { $0 <= 0x20 }
        while let last = token.last, last <= 0x20 { token.removeLast() }
        guard !token.isEmpty, count < Self.maxBytes, token.allSatisfy({ 0x21...0x7E ~= $0 }) else { return nil }
        return Secret(String(decoding: token, as: UTF8.self))
    }
}
