import Codecs

/// Which tool call of a response each of its deltas belongs to.
///
/// A new id begins a call, whatever its `index` is: Gemini's OpenAI endpoint and older versions of Ollama number every
/// call 0, and some servers number none. Sources: ollama/ollama#7881; as recorded of Gemini by its clients.
struct OpenAIToolCalls: Sendable {
    private var begun: [(index: Int?, id: String)] = []

    /// The place of a delta's call among those of the response; the number of earlier calls if it begins one.
    ///
    /// - Parameter delta: an element of `tool_calls`.
    mutating func place(of delta: JSONTree) -> Int {
        let index = delta["index"]?.integer, id = delta["id"]?.string ?? ""
        let isNamed = delta["function"]?["name"]?.string?.isEmpty == false
        let known =
            if let index {
                begun.lastIndex { $0.index == index }
            } else if !id.isEmpty {
                begun.lastIndex { $0.id == id }
            } else {
                isNamed ? nil : begun.indices.last
            }
        // Some servers make up another id for each delta, but then only the first one has the name.
        guard let known, id.isEmpty || begun[known].id.isEmpty || begun[known].id == id || !isNamed else {
            begun.append((index, id))
            return begun.count - 1
        }
        if begun[known].id.isEmpty { begun[known].id = id }
        return known
    }
}
