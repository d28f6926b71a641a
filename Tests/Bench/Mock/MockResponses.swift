/// The bytes that the mock upstream sends, made once.
struct MockResponses {
    /// A chat completion with usage; its body has 1024 bytes.
    let buffered: [UInt8]
    /// One vector with usage; the body has 1024 bytes.
    let embeddings: [UInt8]
    let models: [UInt8]
    /// That of a collector that has taken all spans.
    let traces = MockResponses.response("200 OK", "{}")
    let notFound: [UInt8]
    let lengthRequired: [UInt8]
    /// The streams by format.
    private let streams: [StreamFormat: MockStream]

    static let counts = #""usage":{"prompt_tokens":250,"completion_tokens":200,"total_tokens":450}"#

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

        streams = Dictionary(uniqueKeysWithValues: StreamFormat.allCases.map { ($0, MockStream($0)) })
    }

    func stream(_ format: StreamFormat) -> MockStream {
        streams[format] ?? MockStream(format)
    }

    /// The length of the longest chunk of a stream.
    var maxChunkBytes: Int { streams.values.reduce(0) { max($0, $1.chunk.count) } }

    private static func response(_ status: String, _ body: String) -> [UInt8] {
        Array("HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }
}
