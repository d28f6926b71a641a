import ConfigTree
import Foundation
import RoutingPolicy
import Testing

/// The reports of the files in `Goldens/`. `RECORD_GOLDENS=1` records them again.
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
        // The values of the variables contain it.
        #expect(!text.contains("-secret-0123"))
    }

    @Test(arguments: names("bad"))
    func `every issue's position is inside its file`(path: String) throws {
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
}
