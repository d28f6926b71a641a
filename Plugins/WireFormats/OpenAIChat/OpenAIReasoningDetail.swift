import Codecs
import ProviderKit

/// An element of `reasoning_details`, in which reasoning has a token. Source: OpenRouter's guide "Reasoning Tokens".
enum OpenAIReasoningDetail {
    /// Reads an element of a request; nil if it has no token.
    static func read(_ detail: JSONTree) -> ChatReasoningText? {
        guard let (kind, text) = token(detail), let token = OpaqueToken(tagged: text, kind, in: OpenAIChat.format) else { return nil }
        return ChatReasoningText(text: kind == .encrypted ? "" : detail["text"]?.string ?? "", token: token)
    }

    /// The token of an element, as it is written.
    static func token(_ detail: JSONTree) -> (OpaqueToken.Kind, String)? {
        if let signature = detail["signature"]?.string, !signature.isEmpty { return (.signature, signature) }
        if let data = detail["data"]?.string, !data.isEmpty { return (.encrypted, data) }
        return nil
    }

    /// An element as the call's provider has made it, or the elements that it stands for; empty if another provider has
    /// made it.
    static func understood(_ detail: JSONTree, by call: Call) -> [JSONTree] {
        guard case .object(var members) = detail,
            let place = members.lastIndex(where: {
                ["signature", "data"].contains($0.name) && $0.value.string?.hasPrefix(OpaqueToken.mark) == true
            }), let text = members[place].value.string
        else { return [detail] }
        guard let value = JSONTree.untagged(text, for: call, in: OpenAIChat.format) else { return [] }
        if let elements = value.string.flatMap(OpenAIReasoningDetails.elements) { return elements }
        members[place].value = value
        return [.object(members)]
    }

    /// - Parameter token: the token as it is written: a list of elements, as ``OpenAIReasoningDetails`` makes it, or
    ///   the signature or the data of one.
    static func write(_ text: String, _ kind: OpaqueToken.Kind, _ token: String, at index: Int, to writer: inout JSONWriter) {
        if let elements = OpenAIReasoningDetails.elements(of: token) {
            for element in elements { element.write(to: &writer) }
            return
        }
        writer.object {
            switch kind {
            case .signature:
                $0.member("type", "reasoning.text")
                $0.member("text", text)
                $0.member("signature", token)
            case .encrypted:
                $0.member("type", "reasoning.encrypted")
                $0.member("data", token)
            }
            $0.member("index", index)
        }
    }
}

/// The elements of `reasoning_details` of a response, of which a stream sends parts. They become one token, so that the
/// provider gets exactly what it has sent, whichever format the client has.
struct OpenAIReasoningDetails {
    private var elements: [JSONTree] = []

    /// Adds the elements of a chunk. Those with the same index and type are parts of one.
    mutating func add(_ parts: [JSONTree]) {
        for part in parts {
            guard case .object(let members) = part else { continue }
            let place = elements.firstIndex { $0["index"] != nil && $0["index"] == part["index"] && $0["type"] == part["type"] }
            guard let place, case .object(var known) = elements[place] else {
                elements.append(part)
                continue
            }
            elements[place] = .scalar([])  // a unique reference, so that the texts grow in place
            JSONTree.accumulate(members, into: &known)
            elements[place] = .object(known)
        }
    }

    /// The token of the elements since the last one; nil if there is none that must come back as it is.
    mutating func takeToken(madeFor call: Call) -> OpaqueToken? {
        guard !elements.isEmpty else { return nil }
        defer { elements = [] }
        guard elements.contains(where: { OpenAIReasoningDetail.token($0) != nil }) else { return nil }
        let hasWords = elements.contains { !($0["text"] ?? $0["summary"] ?? .scalar([])).isEmptyText }
        return OpaqueToken(
            String(decoding: JSONTree.array(elements).encoded, as: UTF8.self), hasWords ? .signature : .encrypted, madeFor: call)
    }

    /// The elements in a token; nil if it has another form.
    static func elements(of token: String) -> [JSONTree]? {
        guard token.utf8.first == ASCII.openBracket else { return nil }
        return JSONTree(Array(token.utf8).span.bytes)?.elements
    }
}

extension JSONTree {
    fileprivate var isEmptyText: Bool { string.map(\.isEmpty) ?? true }
}
