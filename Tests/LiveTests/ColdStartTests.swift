import TestSupport
import Testing

/// A start with a bad file fails at once, reports the place of the mistake, and does not listen.
@Suite struct ColdStartTests {
    @Test(arguments: BadPolicies.all)
    func `a bad file stops the start, and check reports it too`(bad: BadPolicies.Bad) throws {
        let start = ContinuousClock.now
        let serve = try RouterProcess(launching: bad.bytes)
        #expect(try serve.process.waitForExit(within: .seconds(10)) == .code(78))
        #expect(.now - start < ceiling(.seconds(1)))
        try serve.process.waitForOutputEnd()
        #expect(!serve.standardError.contains("listening"))
        #expect(!serve.standardError.contains("Fatal error"))
        #expect(serve.standardError.hasPlace, "\(serve.standardError)")

        let check = try RouterProcess(launching: bad.bytes, command: "check")
        #expect(try check.process.waitForExit(within: .seconds(10)) == .code(1))
        try check.process.waitForOutputEnd()
        #expect((check.standardError + check.standardOutput).hasPlace)
    }

    @Test func `a missing file stops the start`() throws {
        let serve = try RouterProcess(launching: nil)
        #expect(try serve.process.waitForExit(within: .seconds(10)) == .code(78))
        try serve.process.waitForOutputEnd()
        #expect(serve.standardError.contains("routes.yaml"))
    }

    @Test func `a port in use stops the start`() throws {
        let router = try RouterProcess(PolicyText().demo)
        let text = try FirstMinuteTests.shipped().split(separator: "\n").map {
            $0.hasPrefix("listen:") ? "listen: 127.0.0.1:\(router.port)" : String($0)
        }
        let second = try RouterProcess(launching: Array(text.joined(separator: "\n").utf8))
        #expect(try second.process.waitForExit(within: .seconds(10)) == .code(1))
        try second.process.waitForOutputEnd()
        // The error is the last line, after the warnings about the providers that are off.
        let lines = second.standardError.split(separator: "\n")
        #expect(lines.count > 1)
        #expect(lines.last?.contains("can't listen on '127.0.0.1:\(router.port)'") == true, "\(lines)")
    }

    @Test func `all errors are reported at once, in the order of the file, each with its line and a caret`() throws {
        let text = """
            version: 1
            listen: 127.0.0.1:0
            server: { keepalive: 15 }
            providers:
              demo: { plugin: demmo }
            models:
              demo: { provider: demo }
            routes:
              r: { try: dema }

            """
        let serve = try RouterProcess(launching: Array(text.utf8))
        #expect(try serve.process.waitForExit(within: .seconds(10)) == .code(78))
        try serve.process.waitForOutputEnd()
        let report = serve.standardError
        let places = ["routes.yaml:3:22", "routes.yaml:5:19", "routes.yaml:9:13"].map {
            Array(report.utf8).firstRange(of: Array($0.utf8), from: 0)?.lowerBound ?? -1
        }
        #expect(places.allSatisfy { $0 >= 0 }, "\(report)")
        #expect(places == places.sorted())
        #expect(report.contains("server: { keepalive: 15 }"))
        #expect(report.count { $0 == "^" } >= 3)
    }

    @Test(arguments: [".", "..", ""]) func `a folder is not a policy file`(path: String) throws {
        let check = try RouterCommand(["check", path])
        #expect(check.exit == .code(1))
        #expect(check.output.contains("is a directory"), "\(check.output)")
    }

    @Test func `check accepts a good file`() throws {
        let check = try RouterProcess(launching: Array(PolicyText().demo.text.utf8), command: "check")
        #expect(try check.process.waitForExit(within: .seconds(10)) == .code(0))
    }
}
