import Glibc
import TestSupport
import Testing

/// `serve --watch`: a changed file is a reload.
@Suite struct WatchTests {
    private static let base = "listen: 127.0.0.1:0\ninclude: models.yaml\nproviders: { demo: { plugin: demo } }\n"

    private func waitForModels(_ router: RouterProcess, _ names: Set<String>, line: Int = #line) throws {
        try eventually("the models are \(names); standard error:\n\(router.standardError)", line: line) {
            Set(try router.get("/models").json?["data"]?.array?.compactMap { $0["id"]?.string } ?? []) == names
        }
    }

    private func start() throws -> RouterProcess {
        let models = "models: { a: { provider: demo } }\n"
        return try RouterProcess(Self.base, files: ["models.yaml": models], options: ["--watch"])
    }

    @Test func `a changed file, included or not, is reloaded without a signal`() throws {
        let router = try start()
        try waitForModels(router, ["a"])
        try router.folder.write("models.yaml", Array("models: { b: { provider: demo } }\n".utf8))
        try waitForModels(router, ["b"])
        try router.rewrite(Self.base + "routes: { r: { try: b } }\n")
        try waitForModels(router, ["b", "r"])
        #expect(router.standardError.contains("by=--watch"))
    }

    @Test func `a bad file changes nothing, and its correction is reloaded`() throws {
        let router = try start()
        try router.folder.write("models.yaml", Array("models: {\n".utf8))
        try router.waitForLog("the new policy cannot be used")
        try waitForModels(router, ["a"])
        try router.folder.write("models.yaml", Array("models: { c: { provider: demo } }\n".utf8))
        try waitForModels(router, ["c"])
    }

    @Test func `a link that leads elsewhere is reloaded`() throws {
        let router = try start()
        let folder = router.folder.path
        try router.folder.write("v2.yaml", Array("models: { d: { provider: demo } }\n".utf8))
        #expect(symlink("v2.yaml", "\(folder)/next") == 0)
        #expect(rename("\(folder)/next", "\(folder)/models.yaml") == 0)
        try waitForModels(router, ["d"])
    }

    @Test func `SIGHUP works as well, and no change is missed after it`() throws {
        let router = try start()
        router.process.hangUp()
        try router.waitForLog("by=SIGHUP")
        try router.folder.write("models.yaml", Array("models: { e: { provider: demo } }\n".utf8))
        try waitForModels(router, ["e"])
    }

    @Test func `a changed certificate is a reload too`() throws {
        let names = ["localhost.pem", "localhost.key.pem", "other.pem", "other.key.pem"]
        let files = try names.map { ($0, try Repository.read("Tests/HTTPWireTests/Certificates/\($0)")) }
        let folder = try TemporaryFolder()
        for (name, text) in files { try folder.write(name, Array(text.utf8)) }
        let router = try RouterProcess(
            """
            listen: [127.0.0.1:0, { address: "localhost:0", tls: { certificate: \(folder.path)/localhost.pem, key: \(folder.path)/localhost.key.pem } }]
            providers: { demo: { plugin: demo } }
            models: { a: { provider: demo } }

            """, options: ["--watch"])
        for (old, new) in [("localhost.key.pem", "other.key.pem"), ("localhost.pem", "other.pem")] {
            #expect(rename("\(folder.path)/\(new)", "\(folder.path)/\(old)") == 0)
        }
        try router.waitForLog("new connections get another certificate")
        #expect(router.standardError.contains("by=--watch"))
    }
}
