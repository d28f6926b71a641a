import Glibc
import TestSupport
import Testing

/// Listeners with TLS, asked by the program's own commands and by curl.
@Suite struct TLSTests {
    private static func certificate(_ name: String) throws -> String { try Repository.read("Tests/HTTPWireTests/Certificates/\(name)") }

    private static let files = ["ca.pem", "localhost.pem", "localhost.key.pem", "other.pem", "other.key.pem"]

    /// A router with a plain listener and one with TLS, and the port of the second.
    private static func router(
        _ folder: TemporaryFolder, tls: String = "", keys: String = ""
    ) throws -> (router: RouterProcess, port: UInt16) {
        for name in files { try folder.write(name, Array(try certificate(name).utf8)) }
        try folder.write("cert.pem", Array(try certificate("localhost.pem").utf8))
        try folder.write("key.pem", Array(try certificate("localhost.key.pem").utf8))
        let router = try RouterProcess(policy(folder, tls: tls, keys: keys))
        try router.waitForLog("certificate_expires")
        let line = try #require(router.standardError.split(separator: "\n").first { $0.contains("certificate_expires") })
        let port = try #require(line.firstMatch(of: /127\.0\.0\.1:(\d+)/).flatMap { UInt16($0.output.1) })
        return (router, port)
    }

    private static func policy(_ folder: TemporaryFolder, tls: String = "", keys: String = "") -> String {
        """
        version: 1
        listen: [127.0.0.1:0, { address: "localhost:0", tls: { certificate: \(folder.path)/cert.pem, key: \(folder.path)/key.pem\(tls) } }]
        providers: { demo: { plugin: demo } }
        models: { small: { provider: demo } }
        \(keys)
        """
    }

    private static func health(_ port: UInt16, _ folder: TemporaryFolder) throws -> RouterCommand {
        try RouterCommand(["health", "https://localhost:\(port)"], environment: ["SSL_CERT_FILE": "\(folder.path)/ca.pem"])
    }

    @Test func `a reload reads the certificate again, and a bad one keeps the earlier one`() throws {
        let folder = try TemporaryFolder(), (router, port) = try Self.router(folder)
        #expect(try Self.health(port, folder).exit == .code(0))
        #expect(try router.metric("llm_router_certificate_expiry_timestamp_seconds") > 1.8e9)

        try folder.write("key.pem", Array("no key\n".utf8))
        router.process.signal(SIGHUP)
        try router.waitForLog("no private key can be read from")
        #expect(try Self.health(port, folder).exit == .code(0))

        try folder.write("cert.pem", Array(try Self.certificate("other.pem").utf8))
        try folder.write("key.pem", Array(try Self.certificate("other.key.pem").utf8))
        router.process.signal(SIGHUP)
        try router.waitForLog("new connections get another certificate")
        let refused = try Self.health(port, folder)
        #expect(refused.exit == .code(1) && refused.errors.contains("is for another name"), "\(refused.errors)")
        #expect(try router.get("/health").status == 200)
    }

    @Test func `a router whose certificate can't be used doesn't start, and check says so`() throws {
        let folder = try TemporaryFolder()
        let policy = Self.policy(folder)
        let router = try RouterProcess(launching: Array(policy.utf8))
        #expect(try router.process.waitForExit(within: .seconds(20)) == .code(1))
        try router.process.waitForOutputEnd()
        #expect(router.standardError.contains("no certificate can be read from '\(folder.path)/cert.pem'"))
        let checked = try RouterCommand(["check", "a.yaml"], files: ["a.yaml": policy])
        #expect(checked.exit == .code(0) && checked.output.contains("a.yaml:2:"), "\(checked.output)")
        for (name, file) in [("cert.pem", "expired.pem"), ("key.pem", "expired.key.pem")] {
            try folder.write(name, Array(try Self.certificate(file).utf8))
        }
        try folder.write("key.pem", Array(try Self.certificate("other.key.pem").utf8))
        let mismatched = try RouterCommand(["check", "a.yaml"], files: ["a.yaml": policy])
        #expect(mismatched.exit == .code(1) && mismatched.output.contains("can't be used together"), "\(mismatched.output)")
        try folder.write("key.pem", Array(try Self.certificate("expired.key.pem").utf8))
        let expired = try RouterCommand(["check", "--strict", "a.yaml"], files: ["a.yaml": policy])
        #expect(expired.exit == .code(1) && expired.output.contains("the certificate has expired at"), "\(expired.output)")
    }

    /// Runs curl at the listener with TLS; the status of the response, or the failure.
    private static func status(_ port: UInt16, _ folder: TemporaryFolder, _ options: String) throws -> String {
        let url = "https://localhost:\(port)/v1/models"
        return try ShellScript("command curl -s -o /dev/null -w '%{http_code}' --cacert ca.pem \(options) \(url) || true", in: folder)
            .output
    }

    @Test func `a client's certificate identifies its key`() throws {
        let folder = try TemporaryFolder()
        // openssl x509 -in other.pem -noout -fingerprint -sha256
        let fingerprint = "9F:D6:0D:A7:75:AB:E3:63:9B:6E:FB:EB:F7:BD:42:71:5F:84:F9:EB:BB:6C:F2:F1:5B:6B:A1:26:57:A8:D9:3E"
        let (router, port) = try Self.router(
            folder, tls: ", client_ca: \(folder.path)/ca.pem",
            keys: "keys: { machine: { client_certificate: \"\(fingerprint)\" }, team: { secret: client-secret-of-team } }")
        let other = "--cert other.pem --key other.key.pem"
        let localhost = "--cert localhost.pem --key localhost.key.pem"
        #expect(try Self.status(port, folder, other) == "200")
        #expect(try Self.status(port, folder, "\(other) -H 'Authorization: Bearer placeholder'") == "200")
        #expect(try Self.status(port, folder, "\(other) -H 'Authorization: Bearer client-secret-of-team'") == "401")
        #expect(try Self.status(port, folder, localhost) == "401")
        #expect(try Self.status(port, folder, "\(localhost) -H 'Authorization: Bearer client-secret-of-team'") == "200")
        #expect(try Self.status(port, folder, "") == "000")
        let records = try router.waitForRecords(5, endpoint: "models")
        #expect(records.map { $0["key"]?.string } == ["machine", "machine", nil, nil, "team"])
    }
}
