import TestSupport

extension FaceUnderTest {
    static let openAIResponses = FaceUnderTest(
        name: "OpenAI Responses", path: { _ in "/v1/responses" },
        body: { question in
            let picture = #"{"type":"input_image","image_url":"data:image/png;base64,\#(pixel)"}"#
            let text = #"{"type":"input_text","text":\#(JSON.quote(question.text))}"#
            let content = question.hasImage ? "[\(text),\(picture)]" : JSON.quote(question.text)
            let tool = question.hasTool ? #","tools":[{"type":"function","name":"add","parameters":\#(schema)}]"# : ""
            let limit = question.maxTokens.map { #","max_output_tokens":\#($0)"# } ?? ""
            let stream = question.isStream ? #","stream":true"# : ""
            return #"{"model":"\#(question.model)","input":[{"role":"user","content":\#(content)}]\#(tool)\#(limit)\#(stream)}"#
        },
        credential: { "authorization: Bearer \($0)" }, streamType: "text/event-stream", frames: events,
        read: { objects in
            var reading = Reading()
            func end(_ item: JSON, isWhole: Bool) {
                if item["type"]?.string == "function_call" {
                    reading.tools.append((item["name"]?.string ?? "", item["arguments"]?.string.flatMap { JSON($0) }))
                }
                guard isWhole else { return }
                reading.text += (item["content"]?.array ?? []).compactMap { $0["text"]?.string }.joined()
                reading.reasoning += (item["summary"]?.array ?? []).compactMap { $0["text"]?.string }.joined()
            }
            for object in objects {
                switch object["type"]?.string {
                case "response.output_text.delta": reading.text += object["delta"]?.string ?? ""
                case "response.reasoning_summary_text.delta": reading.reasoning += object["delta"]?.string ?? ""
                case "response.output_item.done": if let item = object["item"] { end(item, isWhole: false) }
                case nil: for item in object["output"]?.array ?? [] { end(item, isWhole: true) }
                default: break
                }
                let response = object["type"] == nil ? object : object["response"]
                reading.finish = response?["incomplete_details"]?["reason"]?.string ?? response?["status"]?.string ?? reading.finish
                reading.input = response?["usage"]?["input_tokens"]?.int ?? reading.input
                reading.output = response?["usage"]?["output_tokens"]?.int ?? reading.output
            }
            return reading
        },
        isComplete: { ["response.completed", "response.incomplete"].contains(events($0).last?["type"]?.string) },
        errorMessage: { ($0["response"] ?? $0)["error"]?["message"]?.string },
        finishes: ("completed", "max_output_tokens", "content_filter", "completed"))
}
