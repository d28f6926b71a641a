import ConfigTree
import Demo
import ProviderConformance
import ProviderKit
import Testing

@Suite("the demo plugin")
struct DemoPluginTests {
    @Test("passes the suite of every provider")
    func conformance() {
        let answer = answer(to: "Привет 🚀, как дела", isStream: true)
        let suite = ProviderConformance(
            provider: provider(), answers: [.init("a stream", isStream: true, head: answer.head, bytes: answer.pieces.flatMap(\.bytes))], requests: [])
        #expect(suite.violations() == [])
    }

    @Test("the answer holds the question's text unharmed, in as many pieces as asked", arguments: [1, 3, 7, 50])
    func text(chunks: Int) throws {
        let question = "Привет 🚀 👨‍👩‍👧 \"quoted\" \\ and\nlines"
        let answer = answer(to: question, isStream: true, chunks: chunks)
        #expect(answer.pieces.count == chunks + 1)
        #expect(try read(answer) == "You said: \(question)")
    }

    @Test("the last message of the user counts, also where its content is a list of parts")
    func parts() throws {
        let body = #"{"messages":[{"role":"user","content":"first"},{"role":"assistant","content":"no"},{"role":"user","content":[{"type":"text","text":"se"},{"type":"image_url","image_url":{}},{"type":"text","text":"cond"}]}]}"#
        #expect(try read(answer(body: body, isStream: false)) == "You said: second")
    }

    @Test("it fails with the status that it was told")
    func fails() {
        let answer = answer(to: "x", isStream: true, fail: 429)
        #expect(answer.head.status == 429)
        let body = answer.pieces[0].bytes
        let error = provider().failure(head: answer.head, body: body.span.bytes)
        #expect(error.failure == .rateLimited)
    }

    private func provider(chunks: Int? = nil, fail: Int? = nil) -> any Provider {
        var entries: [ConfigEntry] = []
        for (name, value) in [("chunks", chunks), ("fail", fail)] {
            guard let value else { continue }
            entries.append(ConfigEntry(key: ConfigText(name, at: .start), value: ConfigNode(.scalar(ConfigScalar("\(value)")), at: .start)))
        }
        var fields = FieldReader(entries, at: .start)
        guard let options = DemoPlugin.readOptions(&fields), fields.issues.isEmpty else { preconditionFailure("\(fields.issues)") }
        return DemoPlugin.makeProvider(options)
    }

    private func answer(to question: String, isStream: Bool, chunks: Int? = nil, fail: Int? = nil) -> LocalAnswer {
        var writer = JSONWriter()
        writer.object {
            $0.key("messages")
            $0.array {
                $0.object {
                    $0.member("role", "user")
                    $0.member("content", question)
                }
            }
        }
        return answer(body: String(decoding: writer.bytes, as: UTF8.self), isStream: isStream, chunks: chunks, fail: fail)
    }

    private func answer(body: String, isStream: Bool, chunks: Int? = nil, fail: Int? = nil) -> LocalAnswer {
        let bytes = Array(body.utf8)
        let members = (try? JSON.members(of: bytes.span.bytes)) ?? []
        let call = Call(operation: .chat, model: "demo", isStream: isStream, members: members)
        return provider(chunks: chunks, fail: fail).answer(to: call, body: bytes.span.bytes)
    }

    private func read(_ answer: LocalAnswer) throws -> String {
        var decoder = try provider().decoder(for: .sample(isStream: true), head: answer.head)
        var sink = AnswerSink()
        let bytes = answer.pieces.flatMap(\.bytes)
        _ = try decoder.decode(bytes.span.bytes, into: &sink)
        #expect(sink.isComplete)
        return sink.parts.reduce(into: "") { text, part in
            if case .event(.text(let more)) = part { text += more }
        }
    }
}
