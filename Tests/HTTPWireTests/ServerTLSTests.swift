import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import HTTPWire

/// The server behind TLS. The CA of the test certificates signed 'localhost', 'other' and 'expired'.
struct ServerTLSTests {
    private let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

    private static func path(_ name: String) -> String {
        #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Certificates/\(name)"
    }

    private static func start(_ name: String = "localhost", clientCA: String? = nil, requiresTLS13: Bool = false) throws -> ConnectionStart
    {
        ConnectionStart(
            tls: try ServerTLS(
                ServerTLS.Settings(
                    certificate: path("\(name).pem"), key: path("\(name).key.pem"), clientCA: clientCA.map(path),
                    requiresTLS13: requiresTLS13)
            ))
    }

    /// A client that trusts the test CA.
    ///
    /// - Parameter certificate: the name of its own certificate; nil: it has none.
    private static func client(_ certificate: String? = nil, maximum: TLSVersion? = nil) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(path("ca.pem"))
        configuration.certificateVerification = .noHostnameVerification
        configuration.maximumTLSVersion = maximum
        if let certificate {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(path("\(certificate).pem")).map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: path("\(certificate).key.pem"), format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private func withTLS(
        _ handler: TestHandler, _ start: ConnectionStart, limits: ServerLimits = ServerLimits(),
        _ body: (Server, BoundListener) async throws -> Void
    ) async throws {
        let server = Server(handler, limits: limits)
        let listener = try await server.bind(.tcp(host: "127.0.0.1", port: 0), start)
        do {
            try await body(server, listener)
            await server.close(listener)
        } catch {
            await server.close(listener)
            throw error
        }
    }

    @Test("requests and large responses pass, and a connection serves several in sequence")
    func serves() async throws {
        let large = String(repeating: "0123456789abcdef", count: 1 << 16)
        let handler = TestHandler.responding { exchange in
            exchange.respond(ResponseHead(status: 200), ByteBuffer(string: exchange.head.path == "/large" ? large + "end" : "ok"))
        }
        try await withTLS(handler, Self.start()) { _, listener in
            let peer = try await Peer.connect(to: listener.address, tls: try Self.client())
            try await peer.send(get)
            try await peer.receive(endingWith: "ok")
            try await peer.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let text = try await peer.receiveAll()
            #expect(text.hasSuffix("\(large)end") && !text.dropLast(10).contains("end"))
        }
    }

    @Test("a client that speaks plain HTTP gets a response that it can read, and others are served")
    func plainHTTP() async throws {
        let handler = TestHandler.responding { $0.respond(ResponseHead(status: 200), ByteBuffer(string: "ok")) }
        try await withTLS(handler, Self.start()) { _, listener in
            let plain = try await Peer.connect(to: listener.address)
            try await plain.send(get)
            let text = try await plain.receiveAll()
            #expect(text.hasPrefix("HTTP/1.1 400 ") && text.contains("the plain HTTP request was sent to an HTTPS port"))
            let peer = try await Peer.connect(to: listener.address, tls: try Self.client())
            try await peer.send(get)
            try await peer.receive(endingWith: "ok")
        }
    }

    @Test("a stream whose client reads slowly is held back, and ends whole")
    func backpressure() async throws {
        let part = String(repeating: "x", count: 50_000)
        let handler = TestHandler.responding { exchange in
            guard exchange.head.path == "/large" else { return exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "ok")) }
            exchange.begin(ResponseHead(status: 200))
            for _ in 0..<40 { exchange.write(ByteBuffer(string: part)) }
            exchange.flush()
        }
        try await withTLS(handler, Self.start()) { _, listener in
            let peer = try await Peer.connect(to: listener.address, tls: try Self.client())
            try await peer.send(get)
            try await peer.receive(endingWith: "ok")
            try await peer.setReading(false)
            try await peer.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            try await handler.events.wait { $0.contains(.writable(false)) }
            let exchange = try await handler.exchanges.wait { $0.count == 2 }[1]
            try await exchange.eventLoop.submit {
                exchange.write(ByteBuffer(string: "last"))
                exchange.end()
            }.get()
            try await peer.setReading(true)
            #expect(try await peer.receiveAll().hasSuffix("last\r\n0\r\n\r\n"))
        }
    }

    @Test("another certificate is for new connections, and the open ones go on")
    func replaces() async throws {
        try await withTLS(TestHandler(), Self.start()) { _, listener in
            let first = try await Peer.connect(to: listener.address, tls: try Self.client())
            try await first.send(get)
            try await first.receive(endingWith: "ok /a")
            listener.begin(try Self.start("other"))
            let second = try await Peer.connect(to: listener.address, tls: try Self.client())
            try await second.send(get)
            try await second.receive(endingWith: "ok /a")
            try await first.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
            try await first.receive(endingWith: "ok /b")
            func certificate(_ name: String) throws -> [UInt8]? {
                try NIOSSLCertificate.fromPEMFile(Self.path("\(name).pem")).first?.toDERBytes()
            }
            #expect(try await first.peerCertificate() == certificate("localhost"))
            #expect(try await second.peerCertificate() == certificate("other"))
            listener.begin(ConnectionStart())
            let plain = try await Peer.connect(to: listener.address)
            try await plain.send(get)
            try await plain.receive(endingWith: "ok /a")
        }
    }

    @Test("where clients need a certificate, the handler gets it, and a client without one, or with a stranger's, gets nothing")
    func clientCertificates() async throws {
        let handler = TestHandler.responding { exchange in
            exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "\(exchange.clientCertificate?.count ?? 0) bytes"))
        }
        try await withTLS(handler, Self.start(clientCA: "ca.pem")) { _, listener in
            let known = try await Peer.connect(to: listener.address, tls: try Self.client("other"))
            try await known.send(get)
            let size = try NIOSSLCertificate.fromPEMFile(Self.path("other.pem"))[0].toDERBytes().count
            try await known.receive(endingWith: "\(size) bytes")
            for stranger in [nil, "expired"] {
                let peer = try await Peer.connect(to: listener.address, tls: try Self.client(stranger))
                try? await peer.send(get)
                #expect(try await peer.receiveAll() == "")
            }
        }
        try await withTLS(handler, Self.start()) { _, listener in
            let peer = try await Peer.connect(to: listener.address, tls: try Self.client("other"))
            try await peer.send(get)
            try await peer.receive(endingWith: "0 bytes")
        }
    }

    @Test("a client that speaks too old a version, or no TLS, gets nothing, and holds no connection")
    func refused() async throws {
        try await withTLS(TestHandler(), Self.start(requiresTLS13: true)) { server, listener in
            let old = try await Peer.connect(to: listener.address, tls: try Self.client(maximum: .tlsv12))
            #expect(try await old.receiveAll() == "")
            let plain = try await Peer.connect(to: listener.address)
            try await plain.send(get)
            #expect(!(try await plain.receiveAll().contains("HTTP/1.1 200")))
            await server.closeConnections()
        }
    }

    @Test("a client that doesn't finish its handshake is disconnected after the head timeout")
    func silent() async throws {
        var limits = ServerLimits()
        limits.headTimeout = .milliseconds(50)
        try await withTLS(TestHandler(), Self.start(), limits: limits) { _, listener in
            let peer = try await Peer.connect(to: listener.address)
            try await peer.receiveAll()
        }
    }

    @Test(
        "files that can't be used are named",
        arguments: [
            ("none.pem", "localhost.key.pem", nil, "no certificate can be read from"),
            ("localhost.key.pem", "localhost.key.pem", nil, "no certificate"),
            ("localhost.pem", "none.pem", nil, "no private key can be read from"),
            ("localhost.pem", "localhost.pem", nil, "no private key"),
            ("localhost.pem", "other.key.pem", nil, "can't be used together"),
            ("localhost.pem", "localhost.key.pem", "none.pem", "no certificate"),
        ] as [(String, String, String?, String)])
    func unusable(certificate: String, key: String, clientCA: String?, words: String) throws {
        let failure = try #require(throws: ServerTLS.Failure.self) {
            try ServerTLS(
                ServerTLS.Settings(certificate: Self.path(certificate), key: Self.path(key), clientCA: clientCA.map(Self.path)))
        }
        #expect(failure.description.contains(words) && !failure.description.contains("NIO"))
    }

    @Test("the end of the certificate is known")
    func expiry() throws {
        #expect(try Self.start("expired").tls?.expires ?? .max < 1_795_000_000)
        #expect(try Self.start().tls?.expires ?? 0 > 1_795_000_000)
    }
}
