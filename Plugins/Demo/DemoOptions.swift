import ConfigTree

public struct DemoOptions: Sendable, Equatable {
    /// The failures that calls get instead of a response.
    public enum Failures: Sendable, Equatable {
        case none
        /// Every call.
        case always(Int)
        /// A request's first try, its second, and so on; 200 answers, and so do the tries behind the last.
        case tries([Int])
    }

    /// How many pieces a streamed response comes in; nil: one for each word.
    public var chunks: Int?
    /// Before each piece.
    public var delay: Duration
    public var failures: Failures
    /// What a failed call is told to wait; nil: nothing.
    public var retryAfter: Duration?
    /// After so many pieces, and at the latest before its end, a response breaks off; nil: never. A non-streamed response is one piece.
    public var cut: Int?
    /// A prompt of more words is refused with `context_length_exceeded`; nil: none is.
    public var context: Int?
    /// A prompt that holds this is refused with `content_filter`; nil: none is.
    public var filter: String?

    /// Reads `chunks`, `delay`, `fail`, `retry_after`, `cut`, `context` and `filter`.
    init(_ fields: inout FieldReader) {
        Self.describe(&fields)
        chunks = fields.int("chunks", in: 1...100_000)
        delay = fields.duration("delay", in: .zero ... .seconds(600)) ?? .zero
        failures = Self.readFailures(&fields)
        retryAfter = fields.duration("retry_after", in: .zero ... .seconds(86_400))
        cut = fields.int("cut", in: 0...100_000)
        context = fields.int("context", in: 1...100_000_000)
        filter = fields.string("filter")
    }

    private static func describe(_ fields: inout FieldReader) {
        fields.declare("fail", as: .other("a status or a list of them"))
        fields.describe("chunks", "how many pieces a streamed response comes in", standard: "one a word")
        fields.describe("delay", "before each piece", standard: "0s")
        fields.describe("fail", "answers with this status; a list is for a request's first tries in turn", standard: "never")
        fields.describe("retry_after", "what a failed call is told to wait", standard: "nothing")
        fields.describe("cut", "breaks a response off after so many pieces", standard: "never")
        fields.describe("context", "a prompt of more words is refused with 'context_length_exceeded'", standard: "no bound")
        fields.describe("filter", "a prompt that holds this is refused with 'content_filter'", standard: "none")
    }

    /// A status, or a list of them.
    private static func readFailures(_ fields: inout FieldReader) -> Failures {
        guard let node = fields.node("fail") else { return .none }
        guard case .sequence = node.content else { return fields.int("fail", in: statuses).map(Failures.always) ?? .none }
        let texts = fields.texts("fail") ?? []
        return .tries(
            texts.compactMap { text in
                if text.isUnresolved { return statuses.lowerBound }
                if let status = Int(text.text), status == 200 || statuses.contains(status) { return status }
                let limits = "from \(statuses.lowerBound) to \(statuses.upperBound), or 200"
                fields.report(ConfigIssue(at: text.position, "'fail' takes statuses \(limits), not '\(abbreviated(text.source))'"))
                return nil
            })
    }

    private static let statuses = 300...599
}
