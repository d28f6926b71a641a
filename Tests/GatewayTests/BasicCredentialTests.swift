import NIOCore
import Testing

@testable import Gateway

struct BasicCredentialTests {
    @Test(arguments: [
        ("dXNlcjprZXk=", "key"), ("OmtleQ==", "key"), ("OmtleQ", "key"), ("dTphOmI=", "a:b"), ("dXNlcjo=", ""), ("OsO8", "ü"),
        ("OvvvvrA+/w==", nil),
    ])
    func `the password is what follows the first colon`(encoded: String, password: String?) throws {
        let found = try #require(BasicCredential.password(ByteBuffer(string: encoded)))
        if let password { #expect(String(buffer: found) == password) } else { #expect(found.readableBytes == 6) }
    }

    @Test(arguments: ["", "key", "a2V5", "====", "OmtleQ===", "Omt leQ==", "Om\u{2D}_", "OmtleQ==x", "O", "=OmtleQ"])
    func `a text that is not base64, or has no colon, has no password`(encoded: String) {
        #expect(BasicCredential.password(ByteBuffer(string: encoded)) == nil)
    }
}
