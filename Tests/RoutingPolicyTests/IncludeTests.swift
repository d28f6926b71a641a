import ConfigTree
import RoutingPolicy
import Testing

struct IncludeTests {
    private let base = "version: 1\nproviders: { p: { plugin: echo } }\n"

    @Test
    func `sections of the same name merge by key, in the order of the files`() {
        let source = MemorySource([
            "d/routes.yaml": base + "include: [b.yaml, a.yaml]\nmodels: { one: { provider: p } }\n",
            "d/b.yaml": "version: 1\nmodels: { two: { provider: p } }\n",
            "d/a.yaml": "models: { three: { provider: p } }\nserver: { drain: 5s }\n",
        ])
        let report = load(source, path: "d/routes.yaml")
        #expect(report.policy?.models.map(\.name) == ["one", "two", "three"])
        #expect(report.policy?.server.drain == .seconds(5))
        #expect(report.files == ["d/routes.yaml", "d/b.yaml", "d/a.yaml"])
    }

    @Test(arguments: [("models:", "models: { m: { provider: p } }"), ("models: { m: { provider: p } }", "models:")])
    func `a section without entries adds none`(section: String, included: String) {
        let source = MemorySource(["routes.yaml": base + "\(section)\ninclude: a.yaml\n", "a.yaml": included + "\n"])
        #expect(load(source).policy?.models.map(\.name) == ["m"])
    }

    @Test
    func `an included file's paths are relative to it`() {
        let source = MemorySource([
            "routes.yaml": base + "include: sub/a.yaml\n", "sub/a.yaml": "include: ./more/../b.yaml\n",
            "sub/b.yaml": "models: { m: { provider: p, upstream: \"${file:name}\" } }\n", "sub/name": "n",
        ])
        #expect(load(source).policy?.models.first?.upstream == "n")
    }

    @Test
    func `a duplicate key is reported with both positions`() {
        let report = load(
            MemorySource([
                "routes.yaml": base + "include: a.yaml\nlisten: :0\n", "a.yaml": "providers:\n  p: { plugin: echo }\nlisten: :0\n",
            ]))
        let messages = report.issues.filter { $0.position.file == "a.yaml" }.map { report.line($0) }
        #expect(messages.count == 2)
        #expect(messages.first == "a.yaml:2:3: error: key 'p' is defined twice; first at routes.yaml:2:14; keep one of the two")
        #expect(messages.last == "a.yaml:3:1: error: key 'listen' is defined twice; first at routes.yaml:4:1; keep one of the two")
    }

    @Test
    func `a file that is included twice is an error at the second include`() {
        let report = load(
            MemorySource(["routes.yaml": base + "include: [a.yaml, ./a.yaml]\n", "a.yaml": "models: { m: { provider: p } }\n"]))
        #expect(
            report.issues.map { report.line($0) } == [
                "routes.yaml:3:19: error: file 'a.yaml' is included twice; first at routes.yaml:3:11; keep one of the two"
            ])
    }

    @Test
    func `a glob that matches its own file skips it`() {
        let report = load(
            MemorySource(["d/routes.yaml": base + "include: \"*\"\n", "d/a.yaml": "models: { m: { provider: p } }\n"]),
            path: "d/routes.yaml")
        #expect(report.policy != nil, "\(report.rendered())")
    }

    @Test
    func `an included file may be empty, with a warning`() {
        let report = load(MemorySource(["routes.yaml": base + "include: a.yaml\nmodels: { m: { provider: p } }\n", "a.yaml": "# later\n"]))
        #expect(report.issues.map { report.line($0) } == ["a.yaml:1:1: warning: the included file is empty"])
    }

    @Test
    func `unknown names are not reported if a file that may define them can't be read`() {
        let report = load(MemorySource(["routes.yaml": base + "include: a.yaml\nroutes: { r: { try: m } }\n", "a.yaml": "models: {\n"]))
        #expect(report.issues.map(\.position.file) == ["a.yaml"])
    }

    @Test
    func `an unset variable in an include is an error`() {
        let report = load(MemorySource(["routes.yaml": base + "include: \"${NO}/a.yaml\"\nmodels: { m: { provider: p } }\n"]))
        #expect(
            report.issues.map { report.line($0) } == [
                "routes.yaml:3:10: error: the environment variable 'NO' is unset or empty; "
                    + "set it in the environment, or give a default: '${NO:-…}'"
            ])
    }

    @Test
    func `issues are in the order of the files, then of their lines`() {
        let source = MemorySource([
            "routes.yaml": "version: 1\ninclude: [b.yaml, a.yaml]\nserver: { drain: 1 }\nlisten: 1\n", "a.yaml": "keys: 1\n",
            "b.yaml": "models: 1\nroutes: 1\n",
        ])
        #expect(
            load(source).issues.map { "\($0.position.file):\($0.position.line)" } == [
                "routes.yaml:3", "routes.yaml:4", "b.yaml:1", "b.yaml:2", "a.yaml:1",
            ])
    }
}
