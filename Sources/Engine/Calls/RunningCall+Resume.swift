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

    init(text: String, tokens: Int, cost: Double?) {
        (self.text, self.tokens, self.cost) = (text, tokens, cost)
    }
}

/// Resume: on routes with `resume: true`, another model continues a stream that broke after its first content.
/// Audio, and responses with tool calls, JSON or several choices, are not resumed, because no model can continue a part
/// of them.
extension RunningCall {
    /// Whether the response can be continued as text.
    var isResumable: Bool {
        request.isStream && !request.operation.isAudio && request.choices == 1 && needs.supports.isDisjoint(with: [.tools, .json])
    }

    /// The bytes of text that the client has after the attempt; nil if no model can continue the response.
    func partialBytes(after attempt: Attempt) -> Int? {
        guard attempt.keepsText, !attempt.hasToolCall else { return nil }
        return (partial?.text.utf8.count ?? 0) + attempt.text.utf8.count
    }

    /// Adds the broken attempt to the part that the client has, before another attempt continues it.
    func keepPart(of broken: Attempt) {
        guard broken.contentBytes > 0 else { return }
        let tokens = TokenEstimate.tokens(ofBytes: broken.contentBytes), before = partial
        let cost = cost(of: broken, completionTokens: tokens).flatMap { cost in
            before.map { before in before.cost.map { $0 + cost } } ?? cost
        }
        partial = PartialResponse(text: (before?.text ?? "") + broken.text, tokens: (before?.tokens ?? 0) &+ tokens, cost: cost)
    }

    /// Records the resume point and sends the new attempt's first content to the client.
    func resume(at attempt: Attempt) {
        let brokenModel = record.model, brokenProvider = record.provider
        record.provider = attempt.provider.name
        record.model = snapshot.models[attempt.candidate.model].name
        record.presented = (attempt.candidate.model, attempt.startedAt - request.arrivedAt)
        record.isFallback = attempt.candidate.isFallback
        record.resumePoints.append(
            ResumePoint(
                provider: brokenProvider ?? "", model: brokenModel ?? "", textBytes: partial?.text.utf8.count ?? 0,
                time: (attempt.firstContentAt ?? .now()) - request.arrivedAt))
        writer.resume(record)
        attempt.forwardHeldParts()
        writer.flush()
    }
}
