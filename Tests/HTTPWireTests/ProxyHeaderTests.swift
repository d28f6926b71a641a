import Engine
import NIOCore
import Testing

@testable import HTTPWire

struct ProxyHeaderTests {
    /// - Parameters:
    ///   - kind: the version and the command.
    ///   - family: the family and the protocol.
    private static func header(kind: UInt8 = 0x21, family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? rest.count
        return ProxyHeader.signature + [kind, family, UInt8(length >> 8), UInt8(length & 0xFF)] + rest
    }

    private static let tcp4 = header(family: 0x11, [192, 0, 2, 1, 10, 0, 0, 1, 0x11, 0x22, 0x01, 0xBB])
    private static let address6: [UInt8] = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

    @Test(
        "the source address is the client's",
        arguments: [
            (tcp4, "192.0.2.1"), (header(family: 0x21, address6 + address6 + [0, 1, 0, 2]), "2001:db8::1"),
            // With what a proxy adds, such as the name of TLS' server name indication.
            (header(family: 0x21, address6 + address6 + [0, 1, 0, 2] + [0x02, 0, 3, 97, 98, 99]), "2001:db8::1"),
            (header(family: 0x21, [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 192, 0, 2, 7] + address6 + [0, 1, 0, 2]), "192.0.2.7"),
            (header(kind: 0x20, family: 0x11, [192, 0, 2, 1, 10, 0, 0, 1, 0, 1, 0, 2]), nil), (header(kind: 0x20, family: 0, []), nil),
            (header(family: 0, []), nil), (header(family: 0x31, [UInt8](repeating: 0, count: 216)), nil),
        ] as [([UInt8], String?)])
    func reads(bytes: [UInt8], host: String?) throws {
        var input = ByteBuffer(bytes: bytes + Array("GET /".utf8))
        #expect(try ProxyHeader.read(&input) == ProxyHeader(host: host))
        #expect(String(buffer: input) == "GET /")
    }

    @Test(
        "what is no header of version 2 is refused in words",
        arguments: [
            (Array("GET / HTTP/1.1\r\n".utf8), "is missing"), (Array("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n".utf8), "of version 1"),
            ([0x16, 3, 1], "is missing"), (header(kind: 0x31, family: 0x11, [UInt8](repeating: 0, count: 12)), "unknown version"),
            (header(kind: 0x22, family: 0x11, [UInt8](repeating: 0, count: 12)), "unknown command"),
            (header(family: 0x41, [UInt8](repeating: 0, count: 12)), "unknown family"),
            (header(family: 0x11, [1, 2, 3, 4]), "shorter than"),
            (header(family: 0x21, [UInt8](repeating: 0, count: 35)), "shorter than"),
            (header(family: 0x11, [], length: 4097), "longer than"),
        ] as [([UInt8], String)])
    func refuses(bytes: [UInt8], words: String) throws {
        var input = ByteBuffer(bytes: bytes)
        let fault = try #require(throws: WireFault.self) { try ProxyHeader.read(&input) }
        #expect(fault.status == 400 && fault.reason.contains(words), "\(fault.reason)")
    }

    @Test("no bytes trap, and none are taken before the header is complete", arguments: 0..<64 as Range<UInt64>)
    func random(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<200 {
            // Headers with a few wrong bytes, and any length.
            var bytes =
                Self.tcp4 + (0..<Int.random(in: 0...40, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
            var input = ByteBuffer(bytes: bytes)
            guard let header = try? ProxyHeader.read(&input) else { continue }
            if let host = header.host { #expect(IPAddress(host)?.text == host) }
            #expect(bytes.count - input.readableBytes >= 16)
        }
    }

    // MARK: Who is believed

    private static let proxies = TrustedProxies([
        AddressRange(bytes: [10, 0, 0, 0], bits: 8), AddressRange(bytes: address6, bits: 32),
        AddressRange(bytes: [192, 0, 2, 128], bits: 25),
    ])

    @Test(
        "a range has the addresses that begin like it",
        arguments: [
            ("10.0.0.0", true), ("10.255.1.2", true), ("11.0.0.0", false), ("192.0.2.128", true), ("192.0.2.127", false),
            ("192.0.2.255", true),
            ("2001:db8:ffff::", true), ("2001:db9::", false), ("::ffff:10.1.2.3", true), ("a.example", false), ("", false),
        ])
    func ranges(host: String, isTrusted: Bool) {
        #expect(Self.proxies.contains(host) == isTrusted)
        #expect(!Self.proxies.contains(nil) && TrustedProxies(includesLocal: true).contains(nil))
        #expect(TrustedProxies([AddressRange(bytes: [0, 0, 0, 0], bits: 0)]).contains("203.0.113.1"))
    }

    @Test(
        "the client is the last forwarded address that no trusted proxy has",
        arguments: [
            ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  // The peer is no proxy.
            ("10.0.0.1", [], "10.0.0.1"), ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", ["1.1.1.1, 198.51.100.1, 10.2.2.2"], "198.51.100.1"),
            ("10.0.0.1", ["1.1.1.1", "198.51.100.1", "10.2.2.2"], "198.51.100.1"),
            ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"), ("10.0.0.1", ["[2001:db9::5]:443"], "2001:db9::5"),
            ("10.0.0.1", ["2001:db9::5"], "2001:db9::5"), ("10.0.0.1", ["198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.1, unknown, 10.3.3.3"], "10.3.3.3"), ("10.0.0.1", [""], "10.0.0.1"), ("10.0.0.1", [",,"], "10.0.0.1"),
            ("10.0.0.1", ["[", "]:", ":"], "10.0.0.1"), ("10.0.0.1", ["10.9.9.9"], "10.9.9.9"),
        ])
    func forwarded(peer: String, values: [String], client: String) {
        #expect(Self.proxies.client(HTTPFields(values.map { ("X-Forwarded-For", $0) }), peer: peer) == client)
    }
}
