import Codecs
import OpenAICompatible
import ProviderKit
import Testing
import WireFormats

@Suite("the OpenAI plugin's other operations")
struct OpenAIObjectsTests {
    private func sent(
        _ operation: ProviderKit.Operation, _ payload: Payload, _ body: [UInt8], defaults: [BodyField] = [], overrides: [BodyField] = []
    ) throws -> (UpstreamRequest, String) {
        let provider = OpenAICompatibleProvider(.sample)
        let format = try #require(provider.formats(for: operation, model: "up").first)
        let call = Call(
            operation: operation, model: "up", isStream: false, format: format, payload: payload, defaults: defaults, overrides: overrides)
        let request = try provider.request(for: call, body: body.span.bytes)
        let text = request.body.flatMap { source -> [UInt8] in
            switch source {
            case .bytes(let bytes): bytes
            case .client(let range): Array(body[range])
            }
        }
        return (request, String(decoding: text, as: UTF8.self))
    }

    @Test(
        "only the model changes in a request, which goes to the operation's own path",
        arguments: [
            (ProviderKit.Operation.embeddings, "/v1/embeddings"), (.completion, "/v1/completions"), (.moderation, "/v1/moderations"),
            (.imageGeneration, "/v1/images/generations"), (.imageEdit, "/v1/images/edits"), (.rerank, "/v1/rerank"),
        ])
    func passes(operation: ProviderKit.Operation, path: String) throws {
        let body = Array(#"{"model":"a", "input": ["x"],"y":1e999}"#.utf8)
        let (request, text) = try sent(operation, .members(try JSON.members(of: body.span.bytes)), body)
        #expect(request.target == path)
        #expect(text == #"{"model":"up", "input": ["x"],"y":1e999}"#)
    }

    @Test("the policy's members are merged into a request")
    func policy() throws {
        let body = Array(#"{"input":"x","dimensions":7}"#.utf8)
        let fields = [BodyField(key: "dimensions", json: Array("256".utf8)), BodyField(key: "user", json: Array(#""u""#.utf8))]
        let payload = Payload.members(try JSON.members(of: body.span.bytes))
        #expect(try sent(.embeddings, payload, body, defaults: fields).1 == #"{"input":"x","dimensions":7,"model":"up","user":"u"}"#)
        #expect(try sent(.embeddings, payload, body, overrides: fields).1 == #"{"input":"x","dimensions":256,"model":"up","user":"u"}"#)
    }

    @Test("a typed embeddings request is written in OpenAI's format")
    func typed() throws {
        let request = EmbeddingsRequest(inputs: [.text("a"), .tokens([1, 2])], dimensions: 3)
        #expect(
            try sent(.embeddings, .embeddings(request), []).1
                == #"{"input":["a",[1,2]],"dimensions":3,"encoding_format":"float","model":"up"}"#)
    }

    private func decoded(_ operation: ProviderKit.Operation, _ body: String) throws -> ResponseSink {
        let format = try #require(OpenAICompatibleProvider(.sample).formats(for: operation, model: "up").first)
        let call = Call(operation: operation, model: "up", isStream: false, format: format, payload: .members([]))
        var decoder = try OpenAIObjects.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: .jsonObject))
        var sink = ResponseSink()
        try decoder.finish(Array(body.utf8).span.bytes, into: &sink)
        return sink
    }

    @Test(
        "a response without a result is a failure",
        arguments: [
            (
                ProviderKit.Operation.embeddings,
                [
                    "{}", #"{"object":"list","data":[]}"#, #"{"data":[{"index":0,"embedding":[]}]}"#,
                    #"{"data":[{"object":"embedding","embedding":""}]}"#, #"{"data":null,"model":"m"}"#, #"{"embeddings":[[]]}"#,
                ]
            ),
            (.moderation, ["{}", #"{"id":"m","model":"m","results":[]}"#, #"{"results":[{}]}"#]),
            (.imageGeneration, [#"{"created":1,"data":[]}"#, #"{"created":1}"#, #"{"data":[{"url":"","b64_json":null}]}"#]),
            (.imageEdit, [#"{"created":1,"data":[]}"#]),
            (.rerank, [#"{"id":"r","model":"m"}"#, #"{"results":[]}"#]),
        ])
    func nothing(operation: ProviderKit.Operation, bodies: [String]) {
        for body in bodies {
            let error = #expect(throws: ProviderError.self) { try decoded(operation, body) }
            #expect(error?.failure == .upstreamError && error?.code == "upstream_empty", "\(body)")
        }
    }

    @Test(
        "a result may have every form that servers use",
        arguments: [
            (
                ProviderKit.Operation.embeddings,
                [
                    #"{"data":[{"embedding":[0]}]}"#, #"{"data":[{"embedding":"AACAPw=="}]}"#,
                    #"{"embeddings":[[0.5]]}"#, #"{"embeddings":{"float":[[0.5]]}}"#,
                ]
            ),
            (.moderation, [#"{"results":[{"flagged":false}]}"#]),
            (.imageGeneration, [#"{"created":1,"data":[{"b64_json":"AA=="}]}"#, #"{"images":[{"url":"https://h/a"}]}"#]),
            (
                .rerank,
                [
                    #"{"results":[{"index":0,"relevance_score":0}]}"#, #"{"data":[{"index":0,"relevance_score":0.5}]}"#,
                    #"{"rankings":[{"index":0,"logit":-1}]}"#,
                ]
            ),
        ])
    func results(operation: ProviderKit.Operation, bodies: [String]) throws {
        for body in bodies { #expect(try decoded(operation, body).isComplete, "\(body)") }
    }

    @Test("a response without a result may say what is at fault beside its error")
    func errors() {
        let error = #expect(throws: ProviderError.self) {
            try decoded(.embeddings, #"{"error":"invalid","error_description":"Your account has insufficient balance"}"#)
        }
        #expect(error?.failure == .providerRejected)
    }

    private func form(_ body: [UInt8], _ type: String) throws(MultipartError) -> MultipartForm {
        var reader = try MultipartReader(contentType: type)
        try reader.read(body.span.bytes)
        return try reader.finish()
    }

    @Test("a field of a form that the policy sets has only the policy's value, however often it is given")
    func repeatedFields() throws {
        func part(_ name: String, _ value: String, _ more: String = "") -> String {
            "--b\r\ncontent-disposition: form-data; name=\"\(name)\"\(more)\r\n\r\n\(value)\r\n"
        }
        let file = "; filename=\"f\""
        let parts =
            part("model", "a") + part("quality", "low") + part("quality", "none", file) + part("quality", "less") + part("x", "1")
            + part("x", "2")
        let body = Array((parts + "--b--\r\n").utf8), type = "multipart/form-data; boundary=b"
        let quality = BodyField(key: "quality", json: Array(#""high""#.utf8))
        let sent = Array(try self.sent(.imageEdit, .form(try form(body, type)), body, overrides: [quality]).1.utf8),
            read = try form(sent, type)
        #expect(read.parts.map { String(decoding: sent[$0.value], as: UTF8.self) } == ["up", "high", "high", "high", "1", "2"])
    }

    @Test("a null of the policy removes a form's field, wherever it stands")
    func nullFields() throws {
        func part(_ name: String, _ value: String) -> String {
            "--b\r\ncontent-disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
        }
        let body = Array((part("x", "0") + part("model", "a") + part("x", "1") + part("x", "2") + part("y", "3") + "--b--\r\n").utf8)
        let type = "multipart/form-data; boundary=b", null = BodyField(key: "x", json: Array("null".utf8))
        let sent = Array(try self.sent(.imageEdit, .form(try form(body, type)), body, overrides: [null]).1.utf8)
        #expect(try form(sent, type).parts.map { String(decoding: sent[$0.value], as: UTF8.self) } == ["up", "3"])
    }

    @Test("a form keeps its files and fields, gets the provider's name of the model, and the policy's fields")
    func forms() throws {
        let type = "multipart/form-data; boundary=b"
        let body = Array(
            "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\na\r\n--b\r\ncontent-disposition: form-data; name=\"image\"; filename=\"f\"\r\n\r\n\u{0}\u{1}\r\n--b--\r\n"
                .utf8)
        let form = try form(body, type)
        let quality = BodyField(key: "quality", json: Array(#""high""#.utf8))
        let (request, text) = try self.sent(.imageEdit, .form(form), body, overrides: [quality])
        #expect(request.fields.filter { $0.name == "content-type" } == [HTTPField("content-type", type)])
        let sent = Array(text.utf8), read = try self.form(sent, type)
        let values = read.parts.map { String(decoding: sent[$0.value], as: UTF8.self) }
        #expect(read.parts.map(\.name) == ["model", "image", "quality"] && values == ["up", "\u{0}\u{1}", "high"])
        #expect(read.parts.map { $0.text == nil } == [false, true, false])
        let untouched = try self.sent(.imageEdit, .form(form), body).1
        #expect(untouched == String(decoding: body, as: UTF8.self).replacing("\r\n\r\na\r\n", with: "\r\n\r\nup\r\n"))
    }
}
