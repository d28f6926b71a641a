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
