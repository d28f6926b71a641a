import Engine
import HTTPWire
import NIOCore
import ProviderKit

/// Answers a call with one JSON object.
final class WholeWriter: AnswerWriter {
    private let api: APIExchange
    private let wantsData: Bool
    private let created: Int
    private var model = ""
    private var passed: ByteBuffer?
    /// For an answer of typed events; made with the first.
    private var fold: CompletionFold?

    init(_ api: APIExchange, _ request: ChatRequest, created: Int) {
        self.api = api
        self.created = created
        wantsData = request.wantsJSON
    }

    var stagedBytes: Int { passed?.readableBytes ?? 0 }

    func begin(_ facts: AnswerFacts) {
        passed = nil
        fold = nil
        model = facts.model ?? ""
    }

    func write(_ parts: [AnswerPart], of bytes: ByteBuffer) {
        for part in parts {
            switch part {
            case .whole(let json, let content):
                passed = bytes.getSlice(at: bytes.readerIndex + json.lowerBound, length: json.count)
                if content.hasRouterMember { passed = passed.map(WholeAnswer.withoutRouter) }
            case .event(let event): add(event)
            case .chunk, .joined: break  // a chunk of a stream is no whole answer, and no decoder gives one for it
            }
        }
    }

    private func add(_ event: ChatEvent) {
        var fold = fold ?? CompletionFold(id: api.requestID, created: created, model: model)
        self.fold = nil  // one owner, so that the text grows in place
        fold.add(event)
        self.fold = fold
    }

    func commit(_ facts: AnswerFacts) {}

    func resume(_ facts: AnswerFacts) {}

    func flush() {}

    func finish(_ facts: AnswerFacts) {
        let object = passed ?? ByteBuffer(bytes: fold?.completion(facts.usage.usage) ?? [])
        guard api.wantsMetadata else { return api.respond(200, object, fields: { RouterMetadata.addFields(facts, to: &$0) }, facts: facts) }
        var member = JSONWriter(capacity: 512)
        let data = wantsData ? WholeAnswer.data(of: object.readableBytesSpan) : nil
        RouterMetadata.write(facts, to: &member, isComplete: true, data: data)
        member.withBytes { member in
            let body = WholeAnswer.Extended(object, by: member)
            if body.count <= ServerExchange.copyLimit {
                api.respond(200, bodyBytes: body.count, fields: { RouterMetadata.addFields(facts, to: &$0) }, facts: facts) { body.write(to: &$0) }
            } else {
                api.respond(200, body.bytes, fields: { RouterMetadata.addFields(facts, to: &$0) }, facts: facts)
            }
        }
    }

    func fail(_ failure: CallFailure, _ facts: AnswerFacts) {
        if failure.cause == .callerLeft { return api.end(status: 499, facts: facts, error: api.wordForLeaving) }
        api.respond(APIError(failure, errors: facts.errors), facts: facts)
    }
}
