import ConfigTree
import Foundation
import ProviderKit
import Testing

@testable import RoutingPolicy

/// Runs yaml-test-suite against the reader if the environment variable CORPORA names the folder that contains it.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["CORPORA"] != nil))
struct YAMLSuiteTests {
    private struct Case: Sendable, CustomTestStringConvertible {
        var id: String
        var mustFail: Bool

        var testDescription: String { id }

        var folder: String { "\(ProcessInfo.processInfo.environment["CORPORA"] ?? "")/yaml/\(id)/" }
        func bytes(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: folder + name).map(Array.init) }
    }

    private static let cases: [Case] = {
        let folder = (ProcessInfo.processInfo.environment["CORPORA"] ?? "") + "/yaml"
        let ids = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return ids.sorted().compactMap { id in
            guard FileManager.default.fileExists(atPath: "\(folder)/\(id)/in.yaml") else { return nil }
            return Case(id: id, mustFail: FileManager.default.fileExists(atPath: "\(folder)/\(id)/error"))
        }
    }()

    private static func tree(_ bytes: [UInt8]) -> Result<ConfigNode?, ConfigIssue> {
        let substitution = Substitution(source: MemorySource(), directory: "")
        do throws(ConfigIssue) {
            let (root, issues, _) = try YAMLTree.read(SourceText(bytes), file: "in.yaml", substitution: substitution)
            return issues.first.map { .failure($0) } ?? .success(root)
        } catch {
            return .failure(error)
        }
    }

    @Test
    func `the suite is complete`() {
        #expect(Self.cases.count == 402)
        #expect(Self.cases.count { $0.mustFail } == 94)
    }

    @Test(arguments: cases)
    private func `each case is refused as a policy, at a position inside the file`(test: Case) throws {
        let bytes = try #require(test.bytes("in.yaml"))
        var source = MemorySource()
        source.files["routes.yaml"] = bytes
        let report = load(source)
        #expect(report.hasErrors())
        let lines = SourceText(bytes).lineCount
        for issue in report.issues {
            #expect((1...max(1, lines)).contains(issue.position.line))
            #expect(issue.position.column >= 1)
        }
        #expect(!report.rendered().isEmpty)
    }

    @Test(arguments: cases.filter { !$0.mustFail })
    private func `an accepted file has the value that the suite defines`(test: Case) throws {
        guard let json = test.bytes("in.json"), !json.isEmpty else { return }
        guard case .success(let root) = Self.tree(try #require(test.bytes("in.yaml"))) else { return }
        let value = try JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed)
        #expect(
            Self.isEqual(root ?? ConfigNode(.scalar(ConfigScalar("")), at: SourcePosition(file: "", line: 1, column: 1)), value),
            "\(String(describing: root))")
    }

    @Test
    func `libyaml accepts only known invalid files`() {
        let accepted = Self.cases.filter { test in
            guard test.mustFail, let bytes = test.bytes("in.yaml"), case .success = Self.tree(bytes) else { return false }
            return true
        }
        #expect(Set(accepted.map(\.id)) == Set(Self.acceptedInvalid.keys))
    }

    @Test
    func `few valid files are refused`() {
        let refused = Self.cases.filter { test in
            guard !test.mustFail, let bytes = test.bytes("in.yaml"), case .failure = Self.tree(bytes) else { return false }
            return true
        }
        #expect(refused.count <= Self.maxRefusedValid)
    }

    /// The invalid files that libyaml accepts, with the reason. As policies they are refused, because their keys are
    /// unknown.
    private static let acceptedInvalid = [
        "9C9N": "a list in brackets may continue at the column of its key",
        "9JBA": "a comment may follow a bracket without a space",
        "CVW2": "a comment may follow a comma without a space",
        "DK95-01": "a tab may begin a line of a quoted scalar",
        "G5U8": "'-' is text in a list in brackets",
        "MUS6-00": "a comment may follow a directive without a space",
        "QB6E": "a quoted scalar may continue at the column of its key",
        "S98Z": "blank lines of a block scalar may be longer than its first line",
        "SU5Z": "a comment may follow a quote without a space",
        "X4QW": "a comment may follow a block scalar's header without a space",
        "Y79Y-003": "a tab may begin a line inside brackets",
        "YJV2": "'-' is text in a list in brackets",
    ]

    /// Files with several documents, keys that are not names, tags beyond the core schema, and YAML 1.2 syntax that
    /// libyaml reads as 1.1.
    private static let maxRefusedValid = 101

    private static func isEqual(_ node: ConfigNode, _ value: Any) -> Bool {
        switch node.content {
        case .mapping(let entries):
            guard let object = value as? [String: Any], object.count == entries.count else { return false }
            return entries.allSatisfy { entry in object[entry.key.text].map { isEqual(entry.value, $0) } ?? false }
        case .sequence(let nodes):
            guard let array = value as? [Any], array.count == nodes.count else { return false }
            return zip(nodes, array).allSatisfy { isEqual($0, $1) }
        case .scalar(let scalar):
            if let text = value as? String { return scalar.text == text }
            guard scalar.style == .plain else { return false }
            // `&name` without a value is null in YAML; here it is a value that its author did not mean.
            if scalar.isUnresolved { return value is NSNull }
            if value is NSNull { return scalar.isNull || scalar.text.lowercased() == "null" }
            guard let number = value as? NSNumber else { return false }
            return ["true": 1, "false": 0][scalar.text.lowercased()] == number.doubleValue || Double(scalar.text) == number.doubleValue
        }
    }
}
