public import Codecs

extension OllamaChat {
    /// Writes an error: `{"error":"…"}`. Source: ollama/ollama, docs/api.md, "Errors".
    public static func writeError(_ message: String, to writer: inout JSONWriter) {
        writer.object { $0.member("error", message) }
    }

    /// The line of an error in a stream, which is its last.
    public static func errorLine(_ message: String) -> [UInt8] {
        var writer = JSONWriter()
        writeError(message, to: &writer)
        return writer.bytes + [ASCII.lineFeed]
    }
}
