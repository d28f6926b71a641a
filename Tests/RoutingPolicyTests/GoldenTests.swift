import ConfigTree
import Foundation
import RoutingPolicy
import Testing

/// `RECORD_GOLDENS=1` writes the reports anew.
struct GoldenTests {
    private static func names(_ folder: String) -> [String] {
        SystemPolicySource().glob("\(FolderSource.goldens)\(folder)/*.yaml").map { String($0.dropFirst(FolderSource.goldens.count)) }
    }

    @Test(arguments: names("bad"))
    func `each mistake gets its report`(path: String) throws {
        let report = load(FolderSource(), path: path)
        let text = report.rendered()
        let expected = FolderSource.goldens + path.dropLast(5) + ".report"
        if ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == "1" {
            try text.write(toFile: expected, atomically: true, encoding: .utf8)
        }
        #expect(report.hasErrors(strict: true))
        #expect(text == (try? String(contentsOfFile: expected, encoding: .utf8)))
    }

    @Test
    func `there are goldens for many mistakes`() {
        #expect(Self.names("bad").count >= 60)
    }

    @Test(arguments: names("bad"))
    func `no report shows a secret`(path: String) {
        let report = load(FolderSource(), path: path)
        let text = report.rendered() + report.issues.map(report.line).joined()
        #expect(!text.contains("hunter2"))
        #expect(!text.contains("sk-live"))
        // Of the variables.
        #expect(!text.contains("-secret-0123"))
    }

    @Test(arguments: names("bad"))
    func `every issue stands inside its file`(path: String) throws {
        let report = load(FolderSource(), path: path)
        for issue in report.issues {
            let text = try String(contentsOfFile: FolderSource.goldens + issue.position.file, encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect((1...max(1, lines.count)).contains(issue.position.line))
            #expect(issue.position.column >= 1)
        }
    }

    @Test(arguments: names("good"))
    func `good files have no errors`(path: String) {
        let report = load(FolderSource(), path: path)
        #expect(report.policy != nil, "\(report.rendered())")
    }

    @Test
    func `together the good files use every option that the schema knows`() {
        var unused: Set<String> = []
        var used: Set<String> = []
        for path in Self.names("good") {
            for (section, options) in load(FolderSource(), path: path).options {
                for option in options {
                    if option.isUsed { used.insert("\(section).\(option.key)") } else { unused.insert("\(section).\(option.key)") }
                }
            }
        }
        // `include` is taken out before the schema sees the tree; `good/everything.yaml` uses it.
        #expect(unused.subtracting(used) == [".include"])
        #expect(used.count > 170)
    }
}
