import Glibc
import TestSupport
import Testing

/// Who the client is, behind proxies and on unix sockets.
@Suite struct ProxiesTests {
    private static func policy(_ listen: String, trusted: String) -> String {
        """
        version: 1
        listen: \(listen)
        server: { trusted_proxies: \(trusted) }
        providers: { demo: { plugin: demo } }
        models: { small: { provider: demo } }
        """
    }

    /// A header of the PROXY protocol, version 2, for the client 192.0.2.1.
    private static let header: [UInt8] =
        [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0, 12]
        + [192, 0, 2, 1, 10, 0, 0, 1, 0x11, 0x22, 0x01, 0xBB]

    private static let request = RouterProcess.request("GET", "/v1/models")

    @Test func `the header of a trusted proxy says who the client is, in whatever parts it arrives`() throws {
        let router = try RouterProcess(Self.policy("[{ address: 127.0.0.1:0, proxy_protocol: true }]", trusted: "[127.0.0.0/8]"))
        let client = try router.client()
        for byte in Self.header.prefix(20) { client.send([byte]) }
        client.send(Array(Self.header.dropFirst(20)) + Array(Self.request.utf8))
        #expect(try client.readResponse().status == 200)
        client.send(Self.request)
        #expect(try client.readResponse().status == 200)
        let bad = try router.client()
        bad.send(Self.request)
        let refused = try bad.readResponse()
        #expect(refused.status == 400 && refused.text.contains("the header of the PROXY protocol is missing"), "\(refused.text)")
        let records = try router.waitForRecords(2, endpoint: "models")
        #expect(records.map { $0["remote"]?.string } == ["192.0.2.1", "192.0.2.1"])
        let other = try router.waitForRecords(1, endpoint: "other")
        #expect(other[0]["remote"]?.string == "127.0.0.1" && other[0]["error"]?.string == "bad_proxy_header")
    }

    @Test func `a header from anyone else is refused`() throws {
        let router = try RouterProcess(Self.policy("[{ address: 127.0.0.1:0, proxy_protocol: true }]", trusted: "[10.0.0.0/8]"))
        let client = try router.client()
        client.send(Self.header + Array(Self.request.utf8))
        let refused = try client.readResponse()
        #expect(refused.status == 403 && refused.text.contains("127.0.0.1 is not among them"), "\(refused.text)")
    }

    @Test func `only trusted proxies may forward an address`() throws {
        for (trusted, remote) in [("[127.0.0.1]", "198.51.100.7"), ("[10.0.0.0/8]", "127.0.0.1")] {
            let router = try RouterProcess(Self.policy("127.0.0.1:0", trusted: trusted))
            #expect(try router.call("GET", "/v1/models", fields: ["X-Forwarded-For: 1.1.1.1, 198.51.100.7"]).status == 200)
            #expect(try router.waitForRecords(1, endpoint: "models")[0]["remote"]?.string == remote)
        }
    }

    /// Runs curl at the folder's socket `r.sock`; the status of the response.
    private static func status(_ folder: TemporaryFolder, _ options: String = "") throws -> String {
        let url = "http://localhost/v1/models"
        return try ShellScript(
            "command curl -s -o /dev/null -w '%{http_code}' --unix-socket r.sock \(options) \(url) || true", in: folder
        ).output
    }

    private static func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test func `a unix socket has the mode and owner of the policy, and a reload changes them`() throws {
        let folder = try TemporaryFolder(), socket = "\(folder.path)/r.sock"
        func policy(_ options: String) -> String {
            Self.policy("[127.0.0.1:0, { address: \"unix:\(socket)\", \(options) }]", trusted: "[unix]")
        }
        let router = try RouterProcess(policy("mode: \"0600\", owner: \"\(getuid()):\(getgid())\""))
        try router.waitForLog("unix:\(socket)")
        #expect(Self.mode(socket) == 0o600)
        #expect(try Self.status(folder, "-H 'X-Forwarded-For: 198.51.100.7'") == "200")
        #expect(try router.waitForRecords(1, endpoint: "models")[0]["remote"]?.string == "198.51.100.7")
        try router.reload(policy("mode: \"0660\""))
        try eventually("the mode is the new one") { Self.mode(socket) == 0o660 }
        #expect(try Self.status(folder) == "200")
        try router.reloadRefused(Self.policy("[127.0.0.1:0, { address: \"unix:\(socket)2\", owner: no-such-user }]", trusted: "[unix]"))
        try router.waitForLog("this machine has no user 'no-such-user'")
    }
}
