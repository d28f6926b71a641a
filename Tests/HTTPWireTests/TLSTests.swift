import Glibc
import NIOCore
import NIOSSL
import Testing

@testable import HTTPWire

/// Verifies test certificates. Their CA signed 'localhost', 'other' (for other.example) and 'expired'.
struct TLSTests {
    private static func path(_ name: String) -> String {
        #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Certificates/\(name)"
    }

    private func upstream(_ name: String) async throws -> TestUpstream {
        let certificate = try NIOSSLCertificate.fromPEMFile(Self.path("\(name).pem"))
        let key = try NIOSSLPrivateKey(file: Self.path("\(name).key.pem"), format: .pem)
        return try await TestUpstream(
            tls: NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: certificate.map { .certificate($0) }, privateKey: .privateKey(key))))
    }

    private func pool(_ upstream: TestUpstream, host: String, trust: TLSSettings = TLSSettings(certificateFile: path("ca.pem"))) -> TestPool
    {
        TestPool(UpstreamEndpoint(host: host, port: upstream.endpoint.port, isTLS: true), tls: TLSContextProvider(settings: trust))
    }

    @Test("a valid certificate is accepted by name and by address, and the connection is reused", arguments: ["localhost", "127.0.0.1"])
    func good(_ host: String) async throws {
        let upstream = try await upstream("localhost")
        let pool = pool(upstream, host: host)
        for round in 1...2 {
            let delegate = TestDelegate()
            try await pool.start(delegate)
            try await upstream.request(0, count: round).send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try await delegate.completeBody() == "ok")
            try await pool.settle(1, 0, 0)
        }
        try await pool.shutdown()
    }

    @Test(
        "a certificate for another name, an expired one, and one from an unknown CA are refused",
        arguments: [("other", "is for another name"), ("expired", "has expired; renew it"), ("stranger", "SSL_CERT_FILE")])
    func bad(_ name: String, words: String) async throws {
        let upstream = try await upstream(name == "stranger" ? "localhost" : name)
        let pool = name == "stranger" ? pool(upstream, host: "localhost", trust: TLSSettings()) : pool(upstream, host: "localhost")
        let delegate = TestDelegate()
        try await pool.start(delegate)
        guard case .unreachable(let message)? = try await delegate.failure() else {
            Issue.record("accepted: \(delegate.events.elements)")
            return
        }
        #expect(message.hasPrefix("TLS failed") && message.contains(words) && message.contains("'localhost' port"))
        #expect(!message.contains("SSL routines") && !message.contains(".swift") && !message.contains(".cc") && !message.contains("NIO"))
        try await pool.settle(0, 0, 0)
    }

    @Test("a server that does not speak TLS is reported as such")
    func plain() async throws {
        let upstream = try await TestUpstream()
        let pool = pool(upstream, host: "localhost")
        let delegate = TestDelegate()
        try await pool.start(delegate)
        try await upstream.connection(0).send("HTTP/1.1 400 Bad Request\r\n\r\n")
        guard case .unreachable(let message)? = try await delegate.failure() else {
            Issue.record("accepted: \(delegate.events.elements)")
            return
        }
        #expect(message.contains("does not speak TLS"))
        try await pool.settle(0, 0, 0)
    }

    /// The alerts of RFC 8446 and RFC 5246, and two that mean nothing.
    private static let alerts: [UInt8] =
        [10, 20, 21, 22, 30, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 100, 109, 110, 111, 112, 113, 114, 115, 116]
        + [40, 120, 121, 77, 255]

    @Test("every alert is told in plain words with the next step", arguments: alerts)
    func alert(number: UInt8) async throws {
        let upstream = try await TestUpstream()
        let pool = pool(upstream, host: "localhost")
        let delegate = TestDelegate()
        try await pool.start(delegate)
        // A fatal alert.
        try await upstream.connection(0).send(bytes: [21, 3, 3, 0, 2, 2, number])
        let message = try #require(try await unreachable(delegate))
        #expect(message.hasPrefix("TLS failed: 'localhost' port") && message.contains("; "), "\(message)")
        let words = message.replacing("base_url", with: "").lowercased()
        for word in ["sslv3", "tlsv1", "openssl", "_"] { #expect(!words.contains(word), "\(message)") }
        switch number {
        case 42, 46, 48, 116: #expect(message.contains("wants a client certificate"))
        case 80, 112: #expect(message.contains("host name"))
        case 40: #expect(message.contains("client certificate") && message.contains("TLS version") && message.contains("host name"))
        case 70, 71, 86: #expect(message.contains("TLS 1.2 or later"))
        default: break
        }
        try await pool.settle(0, 0, 0)
    }

    @Test("a server that wants a client certificate is reported as such", arguments: [TLSVersion.tlsv12, .tlsv13])
    func clientCertificate(version: TLSVersion) async throws {
        let certificate = try NIOSSLCertificate.fromPEMFile(Self.path("localhost.pem"))
        let key = try NIOSSLPrivateKey(file: Self.path("localhost.key.pem"), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificate.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = version
        configuration.maximumTLSVersion = version
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .file(Self.path("ca.pem"))
        let upstream = try await TestUpstream(tls: NIOSSLContext(configuration: configuration))
        let pool = pool(upstream, host: "localhost")
        let delegate = TestDelegate()
        try await pool.start(delegate)
        let message = try await unreachable(delegate)
        #expect(message?.contains("wants a client certificate, which the router does not send; ") == true)
        try await pool.settle(0, 0, 0)
    }

    @Test(
        "a connection that is closed or reset during the handshake is told as such, because nothing was sent",
        arguments: [ECONNRESET, EPIPE, nil])
    func closed(number: CInt?) {
        let error = number.map { IOError(errnoCode: $0, reason: "read") }
        let words = TLSFailure.message(error, at: "'h' port 443", certificate: nil, problem: nil)
        #expect(words.contains("'h' port 443 closed the connection during the TLS handshake; check"), "\(words)")
    }

    private func unreachable(_ delegate: TestDelegate) async throws -> String? {
        guard case .unreachable(let message)? = try await delegate.failure() else {
            Issue.record("\(delegate.events.elements)")
            return nil
        }
        return message
    }

    @Test("a directory of certificates does not disable the certificate file", arguments: ["", "/nonexistent", path(".")])
    func directory(_ directory: String) async throws {
        let upstream = try await upstream("localhost")
        let pool = pool(
            upstream, host: "localhost", trust: TLSSettings(certificateFile: Self.path("ca.pem"), certificateDirectory: directory))
        let delegate = TestDelegate()
        try await pool.start(delegate)
        try await upstream.request().send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(try await delegate.completeBody() == "ok")
        try await pool.shutdown()
    }

    @Test(
        "trusted certificates that can't be read fail the request, not the process, and are named with the reason",
        arguments: [
            (TLSSettings(certificateFile: "/nonexistent.pem"), "SSL_CERT_FILE names '/nonexistent.pem', which can't be read: No such file"),
            (TLSSettings(certificateFile: #filePath), "SSL_CERT_FILE names '\(#filePath)', which has no certificate in PEM form"),
            (TLSSettings(certificateDirectory: "/nonexistent"), "SSL_CERT_DIR names '/nonexistent', which can't be read: No such file"),
        ])
    func unreadableTrust(settings: TLSSettings, words: String) async throws {
        let upstream = try await upstream("localhost")
        let pool = pool(upstream, host: "localhost", trust: settings)
        let delegate = TestDelegate()
        try await pool.start(delegate)
        guard case .unreachable(let message)? = try await delegate.failure() else {
            Issue.record("accepted: \(delegate.events.elements)")
            return
        }
        #expect(message.contains(words), "\(message)")
        #expect(message.hasSuffix("correct it and restart the router") && !message.contains("NIO"))
        try await pool.settle(0, 0, 0)
    }

    @Test("a large request arrives completely through TLS, and a body cut without close_notify is truncated")
    func large() async throws {
        let upstream = try await upstream("localhost")
        let pool = pool(upstream, host: "localhost")
        let delegate = TestDelegate()
        try await pool.start(delegate, method: "POST", body: [ByteBuffer(repeating: 0x61, count: 2 << 20), ByteBuffer(string: "end")])
        let peer = try await upstream.connection(0)
        #expect(try await peer.receive(endingWith: "aend").hasSuffix(String(repeating: "a", count: 2 << 20) + "end"))
        try await peer.send("HTTP/1.1 200 OK\r\n\r\nabc")
        try await delegate.events.wait { TestDelegate.body($0) == "abc" }
        try await peer.cut()
        #expect(try await delegate.failure() == .truncated)
    }
}
