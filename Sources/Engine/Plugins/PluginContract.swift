import Codecs
import ProviderKit
import RoutingPolicy

/// What the router checks of the values that plugins return, because they are values from outside: wrong ones must fail
/// one request, and never crash the process, fill its memory or confuse what belongs to other requests.
struct PluginContract: Sendable {
    /// The plugin, as messages name it.
    let subject: String

    init(plugin: String) { subject = "the plugin '\(plugin)'" }

    /// - Parameter provider: a provider of a built-in plugin.
    init(provider: String) { subject = "the plugin of the provider '\(provider)'" }

    // MARK: Bounds

    /// The most bytes that a plugin makes for one request beyond four times those of the client, whose texts may need
    /// another form.
    static let maxRequestBytes = ResponseSink.maxMadeBytes
    private static let maxMessageBytes = 64 << 10
    private static let maxCodeBytes = 1 << 10
    /// The most parts that one call of a decoder adds beyond one for each byte that it was given: some are made of
    /// bytes that it has consumed before.
    static let maxParts = 1 << 16
    /// Far more choices than any API allows.
    private static let maxFinishes = 1 << 16
    private static let maxContentBytes = 1 << 40

    // MARK: Checks

    func misbehaviour(_ problem: String) -> ProviderError {
        ProviderError(.upstreamError, message: "\(subject) \(problem)", code: ProviderError.misbehaviourCode)
    }

    /// A plugin's error without what can't be true.
    func checked(_ error: ProviderError) -> ProviderError {
        guard error.failure != .cancelled else {
            return misbehaviour(
                "fails with the class 'cancelled', which only the router may: \(error.message.cut(atByte: Self.maxCodeBytes))")
        }
        var error = error
        error.status = error.status.flatMap { 100...599 ~= $0 ? $0 : nil }
        error.retryAfter = error.retryAfter.map { min(max($0, .zero), RetryAfter.longest) }
        error.message = error.message.isEmpty ? "\(subject) gives no reason" : error.message.cut(atByte: Self.maxMessageBytes)
        error.code = error.code?.cut(atByte: Self.maxCodeBytes)
        error.type = error.type?.cut(atByte: Self.maxCodeBytes)
        error.param = error.param?.cut(atByte: Self.maxCodeBytes)
        error.body = nil  // the router's to set
        return error
    }

    /// Checks a request that a plugin has made.
    ///
    /// - Parameter clientBytes: the length of the client's body.
    func check(_ request: UpstreamRequest, clientBytes: Int) throws(ProviderError) {
        let limit = Self.maxRequestBytes + 4 * clientBytes
        var made = request.target.utf8.count
        for field in request.fields {
            let (name, value) = field.revealed
            made += name.utf8.count + value.utf8.count
        }
        for source in request.body {
            switch source {
            case .bytes(let bytes): made += bytes.count
            case .client(let range):
                guard range.isInside(clientBytes) else {
                    throw misbehaviour("sends the bytes \(range) of a request of \(clientBytes) bytes")
                }
                made += range.count
            }
            // Before the next one, so that the sum can't overflow.
            guard made <= limit else { break }
        }
        guard made <= limit else { throw misbehaviour("makes a request of more than \(limit >> 20) MiB") }
    }

    /// Checks a response from inside the process.
    func check(_ response: LocalResponse) throws(ProviderError) {
        guard 100...599 ~= response.head.status else { throw misbehaviour("responds with the status \(response.head.status)") }
        guard response.chunks.allSatisfy({ $0.bytes.count <= ResponseSink.maxMadeBytes }) else {
            throw misbehaviour("emits more than \(ResponseSink.maxMadeBytes >> 20) MiB at once")
        }
        guard response.chunks.allSatisfy({ .zero...RetryAfter.longest ~= $0.delay }) else {
            throw misbehaviour("delays its response by less than no time, or by more than 30 days")
        }
    }

    /// Checks what a call of a decoder has added. If it is wrong, all of it is removed.
    ///
    /// - Parameter count: the number of bytes that the decoder was given.
    func check(_ response: inout ResponseSink, ofBytes count: Int) throws(ProviderError) {
        guard let problem = problem(response, count) else { return }
        response.removeParts()
        throw misbehaviour(problem)
    }

    private func problem(_ response: borrowing ResponseSink, _ count: Int) -> String? {
        guard response.parts.count <= Self.maxParts + count else { return "emits \(response.parts.count) parts at once" }
        var referred = 0
        for part in response.parts {
            let (range, frame) = part.ranges
            guard range?.isInside(count) ?? true, frame?.isInside(count) ?? true else { return "emits bytes that it was not given" }
            referred += max(range?.count ?? 0, frame?.count ?? 0)
            let signals = part.signals
            guard 0...Self.maxContentBytes ~= signals.contentBytes, 0...Self.maxFinishes ~= signals.finishes else {
                return "counts \(signals.contentBytes) bytes and \(signals.finishes) ends in one part"
            }
        }
        guard !response.isOverfull, referred <= max(count, ResponseSink.maxMadeBytes) else {
            return "emits more than \(ResponseSink.maxMadeBytes >> 20) MiB at once"
        }
        return nil
    }
}

extension ProviderError {
    /// The code of the failure of a plugin that breaks its contract.
    package static let misbehaviourCode = "plugin_misbehaves"
}

extension ResponsePart {
    /// The range of the decoded bytes that the part refers to, and that of its frame, which may be sent instead.
    fileprivate var ranges: (Range<Int>?, frame: Range<Int>?) {
        switch self {
        case .chunk(let chunk): (chunk.json, chunk.frame)
        case .buffered(let range, _), .payload(let range, _, _): (range, nil)
        case .joined, .event, .embeddings, .count: (nil, nil)
        }
    }
}

extension Range<Int> {
    /// Whether all of it is in so many bytes.
    fileprivate func isInside(_ count: Int) -> Bool { lowerBound >= 0 && upperBound <= count }
}
