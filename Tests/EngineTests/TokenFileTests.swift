import NIOCore
import ProviderKit
import TestSupport
import Testing

@testable import Engine

@Suite("a bearer token in a file")
struct TokenFileTests {
    private let folder: TemporaryFolder
    private let start = NIODeadline.now()

    init() throws { folder = try TemporaryFolder() }

    @Test("a renewed token is used after a while, and both are masked")
    func renewal() throws {
        try folder.write("token", Array(" token-number-one\n".utf8))
        let file = TokenFile("\(folder.path)/token")
        let mask = PolicyMask([Secret("another-secret")], [file])
        #expect(file.token(now: start) == Secret("token-number-one"))
        #expect(mask.current("token-number-one, another-secret") == "<secret>, <secret>")
        try folder.write("token", Array("token-number-two".utf8))
        #expect(file.token(now: start) == Secret("token-number-one"))
        #expect(file.token(now: start + TokenFile.maxAge) == Secret("token-number-two"))
        #expect(mask.current("token-number-one token-number-two") == "<secret> <secret>")
    }

    @Test("a file without a token gives none", arguments: ["", " \n", "two words", "слово"])
    func noToken(content: String) throws {
        try folder.write("token", Array(content.utf8))
        #expect(TokenFile("\(folder.path)/token").token(now: start) == nil)
        #expect(TokenFile("\(folder.path)/missing").token(now: start) == nil)
        #expect(TokenFile(folder.path).token(now: start) == nil)
    }
}
