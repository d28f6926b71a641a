import NIOCore
import ProviderKit
import RoutingPolicy

/// The part of a broken stream that the client has, possibly from several models.
///
/// A class, so that a call without a broken stream, the usual case, stores only a reference.
final class PartialResponse {
    let text: String
    /// The estimated number of tokens of the text.
    let tokens: Int
    /// US dollars, each model's part at its own price; nil if a price is unknown.
    let cost: Double?
    /// The failure that broke the stream.
    let brokenBy: ProviderError?

    init(text: String, tokens: Int, cost: Double?, brokenBy: ProviderError?) {
        (self.text, self.tokens, self.cost, self.brokenBy) = (text, tokens, cost, brokenBy)
    }
}

/// Resume: on routes with `resume: true`, another model continues a stream that broke after its first content.
/// Responses with tool calls, JSON or several choices are not resumed, because no model can continue a part of them.
extension RunningCall {
    /// The longest text that another model is given to continue.
    private static let maxPartialBytes = 1 << 20

    /// Whether the response can be continued as text.
    var isResumable: Bool {
        request.isStream && request.choices == 1 && request.needs.supports.isDisjoint(with: [.tools, .json])
    }

    /// Starts an attempt that continues the stream after the attempt broke. Returns false if the stream can't be
    /// resumed.
    func tryResume(after attempt: Attempt, _ error: ProviderError) -> Bool {
        guard plan.resumes, attempt.keepsText, !attempt.hasToolCall, error.failure.isBreak, !isOverdue else { return false }
        let before = partial
        let text = (before?.text ?? "") + attempt.text
        guard !text.isEmpty, text.utf8.count <= Self.maxPartialBytes else { return false }
        if attempt.contentBytes > 0 {
            let tokens = TokenEstimate.tokens(ofBytes: attempt.contentBytes)
            let cost = cost(of: attempt, completionTokens: tokens).flatMap { cost in
                before.map { before in before.cost.map { $0 + cost } } ?? cost
            }
            partial = PartialResponse(text: text, tokens: (before?.tokens ?? 0) &+ tokens, cost: cost, brokenBy: error)
        }
        let models = snapshot.policy.models
        while let candidate = sequence.nextCandidate(context: { models[$0].context }) {
            guard snapshot.instance(ofModel: candidate.model)?.provider.canContinue == true else { continue }
            if tryStart(candidate) { return true }
        }
        partial = before
        return false
    }

    /// Records the resume point and sends the new attempt's first content to the client.
    func resume(at attempt: Attempt) {
        let brokenModel = record.model, brokenProvider = record.provider
        record.provider = attempt.provider.name
        record.model = snapshot.policy.models[attempt.candidate.model].name
        record.isFallback = attempt.candidate.isFallback
        record.resumePoints.append(
            ResumePoint(provider: brokenProvider ?? "", model: brokenModel ?? "", textBytes: partial?.text.utf8.count ?? 0))
        writer.resume(record)
        attempt.forwardHeldParts()
        writer.flush()
    }
}

extension FailureClass {
    /// Whether the upstream is at fault, so that another model may continue the stream.
    fileprivate var isBreak: Bool {
        switch self {
        case .unreachable, .reset, .timeout, .rateLimited, .upstreamError, .routerLimit: true
        case .notFound, .providerRejected, .contextOverflow, .contentFilter, .unsupported, .invalidJSON, .clientError, .cancelled: false
        }
    }
}
