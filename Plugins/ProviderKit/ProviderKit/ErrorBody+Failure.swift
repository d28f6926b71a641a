import Codecs

extension ErrorBody {
    /// Reads the body of a failed response, which is about the failure whatever its shape is: if no member has a known
    /// name, the first sentence in it is the message. nil if the bytes are not JSON, or say nothing.
    ///
    /// In a successful response, a sentence in a member that nobody knows may be the model's.
    init?(ofFailure bytes: RawSpan) {
        let body = ErrorBody(bytes)
        guard body?.message == nil, body?.innerMessage == nil, let tree = JSONTree(bytes) else {
            guard let body else { return nil }
            self = body
            return
        }
        let sentences = Self.sentences(of: tree, depth: 0).prefix(Self.maxElements)
        guard body != nil || !sentences.isEmpty else { return nil }
        self = body ?? ErrorBody()
        message = sentences.first
        furtherMessages += sentences.dropFirst()
    }

    /// The members that repeat the request.
    private static let echoes: Set = ["input", "ctx", "request", "body", "prompt", "messages", "url", "value", "received", "actual"]

    /// The texts with a blank.
    private static func sentences(of tree: JSONTree, depth: Int) -> [String] {
        guard depth <= maxDepth else { return [] }
        if let text = tree.string { return text.contains(" ") ? [text] : [] }
        if let elements = tree.elements { return elements.prefix(maxElements).flatMap { sentences(of: $0, depth: depth + 1) } }
        let members = (tree.members ?? []).filter { !echoes.contains($0.name.lowercased()) }
        return members.flatMap { sentences(of: $0.value, depth: depth + 1) }
    }
}
