public import ConfigTree
public import ProviderKit
import WireFormats

/// A provider that responds from inside the process: for a first try of the router, and to see retries, fallbacks,
/// breakers and streams at work without an upstream.
public enum DemoPlugin: ProviderPlugin {
    public static let name = "demo"

    public static func readOptions(_ fields: inout FieldReader) -> DemoOptions? {
        DemoOptions(&fields)
    }

    public static func makeProvider(_ options: DemoOptions) -> any Provider {
        DemoProvider(options: options)
    }
}

/// A provider whose responses depend only on the request and on the number of its attempts.
public struct DemoProvider: Provider {
    let options: DemoOptions

    public var canContinue: Bool { true }

    /// A format of its own, so that a client's request is translated, and OpenAI's for audio.
    public func formats(for operation: Operation, model: String) -> [WireFormat] {
        switch operation {
        case .chat, .embeddings: Self.formats
        case .transcription: [OpenAIAudio.transcriptions]
        case .translation: [OpenAIAudio.translations]
        case .speech: [OpenAIAudio.speech]
        case .imageGeneration, .imageEdit, .moderation, .rerank, .completion, .countTokens: []
        }
    }

    private static let formats = [WireFormat("demo")]
}

/// The options of a demo provider.
public struct DemoOptions: Sendable, Equatable {
    /// The attempts that fail, and their statuses.
    public enum Failures: Sendable, Equatable {
        case none
        /// Every attempt fails with this status.
        case always(Int)
        /// The attempts of a request have these statuses, in order. A 200 succeeds, and so do all further attempts.
        case attempts([Int])
    }

    /// The number of chunks of a streamed response; nil for one chunk a word.
    public var chunks: Int?
    /// The time before each chunk.
    public var delay: Duration
    public var failures: Failures
    /// The wait that a failed response requests; nil for none.
    public var retryAfter: Duration?
    /// The number of chunks after which a response breaks off, at the latest before its end; nil if it doesn't. A
    /// non-streamed response has one chunk.
    public var cut: Int?
    /// The number of words above which a prompt is refused with `context_length_exceeded`; nil for no limit.
    public var context: Int?
    /// A text because of which a prompt is refused with `content_filter`; nil for none.
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
        fields.describe("chunks", "the number of chunks of a streamed response", default: "one for each word")
        fields.describe("delay", "the time before each chunk", default: "0s")
        fields.describe("fail", "the status to fail with; a list is for the attempts of a request, in order", default: "never")
        fields.describe("retry_after", "the wait that a failed response requests", default: "none")
        fields.describe("cut", "breaks a response off after this many chunks", default: "never")
        fields.describe("context", "refuses a prompt with more words, with 'context_length_exceeded'", default: "no limit")
        fields.describe("filter", "refuses a prompt that contains this text, with 'content_filter'", default: "none")
    }

    /// Reads a status, or a list of statuses.
    private static func readFailures(_ fields: inout FieldReader) -> Failures {
        guard let node = fields.node("fail") else { return .none }
        guard case .sequence = node.content else { return fields.int("fail", in: statuses).map(Failures.always) ?? .none }
        let texts = fields.texts("fail") ?? []
        return .attempts(
            texts.compactMap { text in
                if text.isUnresolved { return statuses.lowerBound }
                if let status = Int(text.text), status == 200 || statuses.contains(status) { return status }
                let allowed = "200, or a status from \(statuses.lowerBound) to \(statuses.upperBound)"
                fields.report(ConfigIssue(at: text.position, "'fail' takes \(allowed), not '\(abbreviated(text.source))'"))
                return nil
            })
    }

    private static let statuses = 300...599
}
