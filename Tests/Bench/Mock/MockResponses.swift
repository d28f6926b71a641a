/// The bytes that the mock upstream sends, made once.
struct MockResponses {
    /// A chat completion with usage; its body has 1024 bytes.
    let buffered: [UInt8]
    /// One vector with usage; the body has 1024 bytes.
    let embeddings: [UInt8]
    let models: [UInt8]
    let notFound: [UInt8]
    let lengthRequired: [UInt8]
    /// The head of a stream, and a chunk with only the role.
    let opening: [UInt8]
    /// A numbered chunk as an HTTP chunk; `stamp(_:number:at:)` fills in the digits.
    let chunk: [UInt8]
    let finish: [UInt8]
    let usage: [UInt8]
    /// `[DONE]` and the last HTTP chunk.
    let end: [UInt8]

    private let digits: Int
    private static let numberDigits = 4
    private static let stampDigits = 16
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

        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
        opening = Array(head.utf8) + MockResponses.framed(MockResponses.event(#"{"role":"assistant","content":""}"#, finish: "null"))
        let blank =
            String(repeating: "0", count: MockResponses.numberDigits) + " " + String(repeating: "0", count: MockResponses.stampDigits)
        chunk = MockResponses.framed(MockResponses.event(#"{"content":""# + blank + #""}"#, finish: "null"))
        digits = chunk.withUnsafeBytes { $0.end(of: "\"content\":\"") ?? 0 }
        finish = MockResponses.framed(MockResponses.event("{}", finish: #""stop""#))
        usage = MockResponses.framed(
            "data: " + #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"# + MockResponses.counts + "}\n\n"
        )
        end = MockResponses.framed("data: [DONE]\n\n") + Array("0\r\n\r\n".utf8)
    }

    /// Writes the number and the time into a copy of `chunk`: 4 digits, a space and 16 digits of nanoseconds. After 115
    /// days of uptime the time no longer fits, and its first digits are lost.
    func stamp(_ chunk: UnsafeMutableRawBufferPointer, number: Int, at time: Nanoseconds) {
        MockResponses.put(UInt64(number), MockResponses.numberDigits, chunk, digits)
        MockResponses.put(time, MockResponses.stampDigits, chunk, digits + MockResponses.numberDigits + 1)
    }

    private static func put(_ value: UInt64, _ width: Int, _ bytes: UnsafeMutableRawBufferPointer, _ start: Int) {
        var value = value
        for at in stride(from: start + width - 1, through: start, by: -1) {
            bytes[at] = UInt8(truncatingIfNeeded: 0x30 + value % 10)
            value /= 10
        }
    }

    private static func response(_ status: String, _ body: String) -> [UInt8] {
        Array("HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    private static func event(_ delta: String, finish: String) -> String {
        "data: " + #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":"# + delta
            + #","finish_reason":"# + finish + "}]}\n\n"
    }

    private static func framed(_ event: String) -> [UInt8] {
        Array("\(String(event.utf8.count, radix: 16))\r\n\(event)\r\n".utf8)
    }
}
