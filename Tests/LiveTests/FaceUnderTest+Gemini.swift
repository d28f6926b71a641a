import TestSupport
import Testing

extension FaceUnderTest {
    static let gemini = FaceUnderTest(
        name: "Gemini",
        path: { "/v1beta/models/\($0.model):\($0.isStream ? "streamGenerateContent?alt=sse" : "generateContent")" },
        body: { question in
            let picture = question.hasImage ? #",{"inlineData":{"mimeType":"image/png","data":"\#(pixel)"}}"# : ""
            let tool =
                question.hasTool ? #","tools":[{"functionDeclarations":[{"name":"add","parametersJsonSchema":\#(schema)}]}]"# : ""
            let limit = question.maxTokens.map { #","maxOutputTokens":\#($0)"# } ?? ""
            let settings = #""generationConfig":{"thinkingConfig":{"includeThoughts":true}\#(limit)}"#
            return #"{"contents":[{"role":"user","parts":[{"text":\#(JSON.quote(question.text))}\#(picture)]}],\#(settings)\#(tool)}"#
        },
        credential: { "x-goog-api-key: \($0)" }, streamType: "text/event-stream", frames: events,
        read: { objects in
            var reading = Reading()
            for object in objects {
                let candidate = object["candidates"]?[0]
                for part in candidate?["content"]?["parts"]?.array ?? [] {
                    if part["thought"]?.bool == true {
                        reading.reasoning += part["text"]?.string ?? ""
                    } else {
                        reading.text += part["text"]?.string ?? ""
                    }
                    if let call = part["functionCall"] { reading.tools.append((call["name"]?.string ?? "", call["args"])) }
                }
                reading.finish = candidate?["finishReason"]?.string ?? reading.finish
                reading.input = object["usageMetadata"]?["promptTokenCount"]?.int ?? reading.input
                reading.output = object["usageMetadata"]?["candidatesTokenCount"]?.int ?? reading.output
            }
            return reading
        },
        isComplete: { $0.contains("\"finishReason\":") && !$0.contains("\"error\":") },
        errorMessage: { $0["error"]?["message"]?.string }, finishes: ("STOP", "MAX_TOKENS", "SAFETY", "STOP"))
}
