import TestSupport
import Testing

/// A fault that a face could have: what it changes in what passes between clients and the router.
struct FaceFault: Sendable, CustomTestStringConvertible {
    typealias Check = @Sendable (FaceConformanceTests, FaceUnderTest) throws -> Void

    let name: String
    /// The check that must find it.
    let check: Check
    var faces = FaceUnderTest.all
    var request: @Sendable (String) -> String = { $0 }
    var fields: @Sendable ([String]) -> [String] = { $0 }
    var response: @Sendable (String, FaceUnderTest) -> String = { text, _ in text }
    /// Whether what a client has left goes on.
    var holdsConnections = false

    var testDescription: String { name }

    /// The fault of the checks that run.
    @TaskLocal static var current: FaceFault?
}

@Suite("a face broken on purpose fails each check of the conformance suite")
struct FaceFaultTests {
    private static let faults = [
        FaceFault(
            name: "changes the text",
            check: { try $0.`a text arrives whole, with its finish, its usage and the call record`(face: $1, isStream: true) },
            response: { text, _ in text.replacing("🚀", with: "?") }),
        FaceFault(
            name: "tells no usage",
            check: {
                try $0.`a translated response has an estimate of the usage that the upstream doesn't report`(face: $1, isStream: true)
            },
            faces: FaceUnderTest.all.filter { $0.name != FaceUnderTest.openAI.name },
            response: { text, _ in
                text.replacing(#/"(input_tokens|prompt_eval_count|promptTokenCount)":[0-9]+/#) { "\"\($0.1)\":0" }
            }),
        FaceFault(
            name: "changes the name of a tool",
            check: { try $0.`parallel tool calls arrive whole and in their order`(face: $1, isStream: true) },
            response: { text, _ in text.replacing("\"add\"", with: "\"sub\"") }),
        FaceFault(
            name: "forgets the tools of a request",
            check: { try $0.`parallel tool calls arrive whole and in their order`(face: $1, isStream: false) },
            request: { $0.replacing("\"add\"", with: "\"sub\"") }),
        FaceFault(
            name: "changes the reasoning", check: { try $0.`reasoning arrives apart from the text`(face: $1, isStream: true) },
            response: { text, _ in text.replacing("2 and", with: "3 and") }),
        FaceFault(
            name: "calls the end at a limit a stop",
            check: { try $0.`the end at a limit and the end by a filter are told apart`(face: $1, isStream: false) },
            response: { $0.replacing("\"\($1.finishes.length)\"", with: "\"\($1.finishes.stop)\"") }),
        FaceFault(
            name: "changes a picture", check: { try $0.`a picture reaches a model that can see, and never another`(face: $1) },
            request: { $0.replacing(FaceUnderTest.pixel, with: "iVBORw0KGgo=") }),
        FaceFault(
            name: "has errors of another form",
            check: { try $0.`an error before the first content has the face's form and its true status`(face: $1, isStream: false) },
            response: { _, _ in #"{"problem":"'temperature' is wrong"}"# }),
        FaceFault(
            name: "says nothing when a stream breaks",
            check: { try $0.`a stream that breaks ends with the face's error, and doesn't look complete`(face: $1) },
            response: { text, _ in text.firstRange(of: "error").map { String(text[..<$0.lowerBound]) } ?? text }),
        FaceFault(
            name: "loses what comes after a large event",
            check: { try $0.`an event of up to 16 MiB arrives whole, and a larger one is an error`(face: $1) }, faces: [.anthropic],
            response: { text, _ in text.replacing("last", with: "") }),
        FaceFault(
            name: "is silent", check: { try $0.`silence is broken by signs of life, which clients read over`(face: $1) },
            response: { text, _ in withoutSignsOfLife(text) }),
        FaceFault(
            name: "goes on for a client that has left",
            check: { try $0.`a client that leaves takes the upstream's request with it`(face: $1, isStream: true) }, holdsConnections: true),
        FaceFault(
            name: "ignores overrides in headers", check: { try $0.`routing overrides come in headers`(face: $1) },
            fields: { $0.filter { !$0.hasPrefix("x-router-") } }),
    ]

    /// Comments, pings, empty texts and blank lines between events are removed.
    private static func withoutSignsOfLife(_ text: String) -> String {
        func isSign(_ line: Substring) -> Bool {
            line.hasPrefix(":") || line.contains("ping") || line.contains(#""content":"""#) && line.contains(#""done":false"#)
        }
        var lines: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) where !isSign(line) {
            if !line.isEmpty || lines.last?.isEmpty == false { lines.append(line) }
        }
        return lines.joined(separator: "\n") + (text.hasSuffix("\n\n") ? "\n" : "")
    }

    @Test(arguments: faults)
    func `a check finds its fault in every face`(fault: FaceFault) throws {
        for face in fault.faces {
            FaceFault.$current.withValue(fault) {
                withKnownIssue("\(face.name) \(fault.name)") { try fault.check(FaceConformanceTests(), face) }
            }
        }
    }
}
