import ProviderKit
import Testing

@Suite("what a body is, judged by its first bytes")
struct BodyFormTests {
    private func form(_ text: String, _ contentType: String? = nil, isStream: Bool = true) -> BodyForm? {
        let bytes = Array(text.utf8)
        return BodyForm(bytes.span.bytes, contentType: contentType, isStream: isStream)
    }

    @Test(
        "the bytes decide, whatever the content type says",
        arguments: [
            ("data: {}", BodyForm.eventStream), ("data:{}", .eventStream), (": ping", .eventStream), ("event: x", .eventStream),
            ("id: 1", .eventStream), ("retry: 1", .eventStream), ("error: {}", .eventStream), ("{\"a\":1}", .jsonObject),
            ("{\n  \"a\": 1\n}", .jsonObject), ("[{}]", .jsonArray), ("<!doctype html>", .markup), ("<?xml", .markup),
            ("upstream failed", .other), ("database down", .other), ("\"text\"", .other), ("null", .other),
            ("{}\n{}", .jsonLines), ("{\"a\":\"\\n\"}\r\n\r\n{", .jsonLines), ("{\n{", .jsonObject), ("{}\n", .jsonObject),
        ] as [(String, BodyForm)], ["text/event-stream", "application/json", "text/html; charset=utf-8", nil])
    func forms(_ sample: (text: String, form: BodyForm), contentType: String?) {
        #expect(form(sample.text, contentType) == sample.form)
    }

    @Test(
        "of one object, the content type may say that lines of JSON begin",
        arguments: ["application/x-ndjson", "application/jsonl; charset=utf-8"])
    func lines(contentType: String) {
        #expect(form("{\"a\":1}", contentType) == .jsonLines)
        #expect(form("{\"a\":1}", contentType, isStream: false) == .jsonObject)
        #expect(form("data: {}", contentType) == .eventStream)
    }

    @Test(
        "an object over several lines is no lines of JSON, whatever the content type says",
        arguments: ["{\n  \"a\": 1\n}", "{\r\n\"a\": 1}", "{\n{", "{ \"a\": 1,\n\"b\": 2}\n{"])
    func severalLines(text: String) {
        #expect(form(text, "application/x-ndjson") == .jsonObject)
        #expect(form("{\"a\": 1}\n", "application/x-ndjson") == .jsonLines)
        #expect(form("{", "application/x-ndjson") == nil)
    }

    @Test(
        "a beginning that may still become a field of an event stream is undecided",
        arguments: ["", "d", "dat", "data", "e", "event", "err", "i", "retr"])
    func undecided(_ text: String) {
        #expect(form(text) == nil)
        #expect(form(text + "!") == .other)
    }

    @Test(
        "fields that no one knows may begin an event stream, if the content type says that it is one",
        arguments: [
            ("warning: x\n\ndata: {}", BodyForm.eventStream), ("log: a\nx-b: c\nevent: d", .eventStream),
            ("errors: x\n\n: ping", .eventStream),
            ("warning: x\n\nupstream failed", .other), ("upstream failed: x\ndata: {}", .other), ("Error: x\n\n", nil), ("war", .other),
            ("warning: x", nil), ("warning: x\n\nda", nil),
        ] as [(String, BodyForm?)])
    func unknownFields(text: String, expected: BodyForm?) {
        #expect(form(text, "text/event-stream; charset=utf-8") == expected)
        #expect(form(text, "text/plain") == .other && form(text) == .other)
    }

    @Test("half of a byte order mark is undecided", arguments: [1, 2])
    func halfMark(bytes count: Int) {
        let bytes: [UInt8] = Array([0xEF, 0xBB].prefix(count))
        #expect(BodyForm(bytes.span.bytes, contentType: nil, isStream: true) == nil)
    }
}
