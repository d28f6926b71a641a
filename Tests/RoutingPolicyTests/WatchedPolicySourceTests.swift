import Foundation
import Testing

@testable import RoutingPolicy

/// Each test has its own temporary folder. The kernel reports a change before the call that makes it returns, so no
/// test has to wait for one.
final class WatchedPolicySourceTests {
    private let folder = "\(NSTemporaryDirectory())watched-source-\(UUID().uuidString)"
    private let source: WatchedPolicySource

    init() throws {
        source = try WatchedPolicySource()
        for name in ["releases/1", "releases/2", "d", "sub/x", "..v1", "..v2"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        try write("routes.yaml", "version: 1\ninclude: [more.yaml, d/*.yaml, sub/*/y.yaml, missing/later.yaml]\n")
        try write("more.yaml", "models: { m: { provider: p, upstream: \"${file:key}\" } }\n")
        for name in ["d/a.yaml", "sub/x/y.yaml"] { try write(name, "# nothing\n") }
        for name in ["key", "other.yaml", "releases/1/routes.yaml", "releases/2/routes.yaml", "..v1/routes.yaml", "..v2/routes.yaml"] {
            try write(name, "version: 1\n")
        }
        try link("current", to: "releases/1")
        try link("..data", to: "..v1")
        try link("mounted.yaml", to: "..data/routes.yaml")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: target)
    }

    private func move(_ name: String, to target: String) { #expect(rename("\(folder)/\(name)", "\(folder)/\(target)") == 0) }

    private func load(_ name: String = "routes.yaml") {
        _ = source.load { RoutingPolicyTests.load(source, path: "\(folder)/\(name)") }
    }

    enum Change: String, CaseIterable {
        case written, replaced, removed, permitted, writtenElsewhere
        case includeWritten, includeReplaced, includeAppears, secretReplaced, globGainsAFile, globLosesAFile, globGainsAFolder,
            folderReplaced
    }

    private func make(_ change: Change) throws {
        switch change {
        case .written: try write("routes.yaml", "version: 1\n")
        case .replaced: move("other.yaml", to: "routes.yaml")
        case .removed: #expect(unlink("\(folder)/routes.yaml") == 0)
        case .permitted: #expect(chmod("\(folder)/routes.yaml", 0o600) == 0)
        case .writtenElsewhere:
            // As a file that a container mounts by itself.
            #expect(Foundation.link("\(folder)/routes.yaml", "\(folder)/releases/elsewhere") == 0)
            _ = source.takeChanges()
            try write("releases/elsewhere", "version: 1\n")
        case .includeWritten: try write("more.yaml", "# nothing\n")
        case .includeReplaced: move("other.yaml", to: "d/a.yaml")
        case .includeAppears: #expect(mkdir("\(folder)/missing", 0o700) == 0)
        case .secretReplaced: move("other.yaml", to: "key")
        case .globGainsAFile: move("other.yaml", to: "d/b.yaml")
        case .globLosesAFile: #expect(unlink("\(folder)/d/a.yaml") == 0)
        case .globGainsAFolder: #expect(mkdir("\(folder)/sub/z", 0o700) == 0)
        case .folderReplaced: move("sub", to: "sub2")
        }
    }

    @Test(arguments: Change.allCases)
    func `a change of what the load has read is noticed`(change: Change) throws {
        load()
        #expect(!source.takeChanges())
        try make(change)
        #expect(source.takeChanges())
        #expect(!source.takeChanges())
    }

    @Test
    func `a link that leads elsewhere is noticed, wherever it is on the way`() throws {
        load("mounted.yaml")
        try link("..data_tmp", to: "..v2")
        #expect(!source.takeChanges())
        move("..data_tmp", to: "..data")
        #expect(source.takeChanges())
        load("mounted.yaml")
        try write("..v1/routes.yaml", "version: 1\n")
        #expect(!source.takeChanges())
        try write("..v2/routes.yaml", "version: 1\n")
        #expect(source.takeChanges())

        load("current/routes.yaml")
        try link("next", to: "releases/2")
        #expect(!source.takeChanges())
        move("next", to: "current")
        #expect(source.takeChanges())
    }

    @Test
    func `what the load has not read is not noticed`() throws {
        load()
        try write("other.yaml", "new")
        try write(".routes.yaml.swp", "new")
        try write("d/.b.yaml", "new")
        try write("d/b.txt", "new")
        _ = try source.read("\(folder)/routes.yaml", limit: 1000)
        #expect(!source.takeChanges())
        load("other.yaml")
        try write("routes.yaml", "new")
        try write("d/a.yaml", "new")
        #expect(!source.takeChanges())
        try write("other.yaml", "newer")
        #expect(source.takeChanges())
    }

    @Test
    func `a change during a load is noticed`() throws {
        load()
        _ = source.load {
            let report = RoutingPolicyTests.load(source, path: "\(folder)/routes.yaml")
            try? write("more.yaml", "# new\n")
            return report
        }
        #expect(source.takeChanges())
    }

    @Test
    func `a burst of changes is one`() throws {
        load()
        for index in 0..<100 {
            try write("routes.yaml", "version: 1 # \(index)\n")
            try write("more.yaml", "# \(index)\n")
            try write("d/\(index).yaml", "# new\n")
        }
        source.waitForChanges()
        #expect(!source.takeChanges())
    }
}
