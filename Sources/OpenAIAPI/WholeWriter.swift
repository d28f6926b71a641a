import Engine
import NIOCore
import ProviderKit

/// Answers a call with one JSON object.
final class WholeWriter: AnswerWriter {
    private let api: APIExchange
    private let wantsData: Bool
    private let created: Int
    private var passed: ByteBuffer?
    private var fold: CompletionFold

    init(_ api: APIExchange, _ request: ChatRequest, created: Int) {
        self.api = api
        self.created = created
        wantsData = request.wantsJSON
        fold = CompletionFold(id: api.requestID, created: created, model: "")
    }

    var stagedBytes: Int { passed?.readableBytes ?? 0 }

    func begin(_ facts: AnswerFacts) {
        passed = nil
        fold = CompletionFold(id: api.requestID, created: created, model: facts.model ?? "")
    }

    func write(_ parts: [AnswerPart], of bytes: ByteBuffer) {
        for part in parts {
            switch part {
            case .whole(let json, _): passed = bytes.getSlice(at: bytes.readerIndex + json.lowerBound, length: json.count)
            case .event(let event): fold.add(event)
            case .chunk: break  // a chunk of a stream is no whole answer, and no decoder gives one for it
            }
        }
    }

    func commit(_ facts: AnswerFacts) {}

    func flush() {}

    func finish(_ facts: AnswerFacts) {
        let object = passed ?? ByteBuffer(bytes: fold.completion(facts.usage.usage))
        var body = object
        if api.wantsMetadata {
            var member = JSONWriter()
            let data = wantsData ? WholeAnswer.data(of: object.readableBytesSpan) : nil
            RouterMetadata.write(facts, to: &member, isComplete: true, data: data)
            body = WholeAnswer.appending(member.bytes, to: object)
        }
        api.respond(200, body, fields: { RouterMetadata.addFields(facts, to: &$0) }, facts: facts)
    }

    func fail(_ failure: CallFailure, _ facts: AnswerFacts) {
        if failure.cause == .callerLeft { return api.end(status: 499, facts: facts, error: "caller_left") }
        api.respond(APIError(failure, errors: facts.errors), facts: facts)
    }
}
