/// The bytes that the mock upstream sends, made once.
struct MockResponses {
    /// A chat completion with usage; its body has 1024 bytes.
    let buffered: [UInt8]
    /// One vector with usage; the body has 1024 bytes.
    let embeddings: [UInt8]
    let models: [UInt8]
    let notFound: [UInt8]
    let lengthRequired: [UInt8]
    let openAI: MockStream
    let anthropic: MockStream

    private static let counts = #""usage":{"prompt_tokens":250,"completion_tokens":200,"total_tokens":450}"#

    init() {
        let start =
            #"{"id":"chatcmpl-bench","object":"chat.completion","created":1766000000,"model":"mock","choices":"#
            + #"[{"index":0,"message":{"role":"assistant","content":""#
        let rest = #""},"finish_reason":"stop"}],"# + MockResponses.counts + "}"
        buffered = MockResponses.response("200 OK", start + String(repeating: "x", count: 1024 - start.utf8.count - rest.utf8.count) + rest)
        let vectorStart = #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.0123456"#
        let vectorRest = #"]}],"model":"mock","usage":{"prompt_tokens":250,"total_tokens":250}}"#
        let numbers = String(repeating: ",-0.0234567", count: 1024)
        let room = 1024 - vectorStart.utf8.count - vectorRest.utf8.count
        let vector = numbers.prefix(room / 11 * 11) + String(repeating: " ", count: room % 11)
        embeddings = MockResponses.response("200 OK", vectorStart + vector + vectorRest)
        models = MockResponses.response(
            "200 OK", #"{"object":"list","data":[{"id":"mock","object":"model","created":1766000000,"owned_by":"mock"}]}"#)
        notFound = MockResponses.response(
            "404 Not Found", #"{"error":{"message":"no such path","type":"invalid_request_error","param":null,"code":null}}"#)
        lengthRequired = MockResponses.response(
            "411 Length Required", #"{"error":{"message":"send content-length","type":"invalid_request_error","param":null,"code":null}}"#)

        openAI = MockStream(
            opening: MockResponses.event(#"{"role":"assistant","content":""}"#, finish: "null"),
            chunk: MockResponses.event(#"{"content":""# + MockStream.blank + #""}"#, finish: "null"), before: "\"content\":\"",
            finish: MockResponses.event("{}", finish: #""stop""#),
            usage: "data: " + #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"# + MockResponses.counts
                + "}\n\n",
            end: "data: [DONE]\n\n")
        let message = #"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"#
        anthropic = MockStream(
            opening: MockResponses.event("message_start", #""message":"# + message + #""usage":{"input_tokens":250,"output_tokens":1}}"#)
                + MockResponses.event("content_block_start", #""index":0,"content_block":{"type":"text","text":""}"#),
            chunk: MockResponses.event(
                "content_block_delta", #""index":0,"delta":{"type":"text_delta","text":""# + MockStream.blank + #""}"#),
            before: "\"text\":\"",
            finish: MockResponses.event("content_block_stop", #""index":0"#)
                + MockResponses.event("message_delta", #""delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":200}"#),
            usage: "", end: MockResponses.event("message_stop", nil))
    }

    private static func response(_ status: String, _ body: String) -> [UInt8] {
        Array("HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    private static func event(_ delta: String, finish: String) -> String {
        "data: " + #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":"# + delta
            + #","finish_reason":"# + finish + "}]}\n\n"
    }

    private static func event(_ type: String, _ members: String?) -> String {
        "event: \(type)\ndata: {\"type\":\"\(type)\"\(members.map { ",\($0)" } ?? "")}\n\n"
    }
}
