import NIOCore
import ProviderKit
import RoutingPolicy

/// A stream as far as it came, perhaps by several models. Large, and seldom there: so it lies apart from its call.
final class PartialResponse {
    let text: String
    /// About as many as the text is.
    let tokens: Int
    /// Each part at its own model's price; nil: a price is unknown.
    let cost: Double?
    let brokenBy: ProviderError?

    init(text: String, tokens: Int, cost: Double?, brokenBy: ProviderError?) {
        (self.text, self.tokens, self.cost, self.brokenBy) = (text, tokens, cost, brokenBy)
    }
}

/// A stream that broke after its first content goes on at another model, on routes that say `resume: true`. Never for tool calls, JSON or several choices,
/// whose halves are nothing that another model could end.
extension RunningCall {
    /// The longest text that is carried over.
    private static let maxPartialBytes = 1 << 20

    /// Tools and JSON can't be continued as text.
    var isResumable: Bool {
        request.isStream && request.choices == 1 && request.needs.supports.isDisjoint(with: [.tools, .json])
    }

    /// Whether another model goes on where the attempt broke.
    func resumes(after attempt: Attempt, _ error: ProviderError) -> Bool {
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
        while let step = sequence.propose(context: { models[$0].context }) {
            guard snapshot.instance(ofModel: step.model)?.provider.capabilities.canContinue == true else { continue }
            if ask(step) { return true }
        }
        partial = before
        return false
    }

    /// The other model has content: it follows what the client has.
    func resume(at attempt: Attempt) {
        let from = record.model, provider = record.provider
        record.provider = attempt.provider.name
        record.model = snapshot.policy.models[attempt.step.model].name
        record.isFallback = attempt.step.isFallback
        record.resumePoints.append(ResumePoint(provider: provider ?? "", model: from ?? "", textBytes: partial?.text.utf8.count ?? 0))
        writer.resume(record)
        attempt.showHeld()
        writer.flush()
    }
}

extension FailureClass {
    /// The upstream broke; the request is sound.
    fileprivate var isBreak: Bool {
        switch self {
        case .unreachable, .reset, .timeout, .rateLimited, .upstreamError: true
        case .notFound, .providerRejected, .contextOverflow, .contentFilter, .unsupported, .clientError, .cancelled: false
        }
    }
}
