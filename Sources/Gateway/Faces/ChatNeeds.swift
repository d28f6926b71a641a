import Codecs
import Engine
import ProviderKit
import RoutingPolicy
import WireFormats

/// What a request needs from a model, collected while its body is parsed.
///
/// A message part that isn't text needs a medium, which its `type` names, or else its members; text that mentions
/// images needs none. A non-empty list of tools needs `tools` whatever `tool_choice` is, because the list is sent in
/// any case and a model without tools refuses it. `tool_choice` alone needs nothing, because OpenAI refuses it without
/// tools. If a member appears twice, both values count, because either may be the one that an upstream uses.
struct ChatNeeds {
    private(set) var capabilities = CapabilitySet()
    /// Whether there is reasoning that may have a provider's token.
    private var mayHaveTokens = false
    /// Whether there is a part of an unknown type.
    private var needsAnyMedium = false
    /// At least 1. An invalid number is nil here, and the upstream refuses it.
    private var maxTokens: Int?
    private var maxCompletionTokens: Int?
    var estimate = TokenEstimate()
    /// The bytes of all texts if `isExact` is false.
    private var unreadTextBytes = 0
    /// The tokens of the longest element of a list of inputs; nil if there is no such list.
    private var longestInput: Int?
    /// Whether tokens are estimated from the characters of the texts. Otherwise only from their length in bytes.
    let isExact: Bool

    init(isExact: Bool = true) { self.isExact = isExact }

    var needs: RequestNeeds {
        RequestNeeds(
            supports: capabilities, needsAnyMedium: needsAnyMedium,
            promptTokens: tokens, contextTokens: longestInput, maxTokens: maxResponseTokens, mayHaveTokens: mayHaveTokens)
    }

    var maxResponseTokens: Int? { maxCompletionTokens ?? maxTokens }

    var tokens: Int { estimate.tokens &+ TokenEstimate.tokens(ofBytes: unreadTextBytes) }

    mutating func add(_ capability: Capability) { capabilities.insert(capability) }

    /// There is reasoning that may have a provider's token.
    mutating func noteToken() { mayHaveTokens = true }

    /// - Parameter tokens: those of one input among several.
    mutating func note(input tokens: Int) { longestInput = max(longestInput ?? 0, tokens) }

    /// The capability for a media type; nil if the router knows none.
    static func capability(ofMediaType type: String) -> Capability? { Medium.capability(ofMediaType: type) }

    mutating func readMaxTokens(_ value: JSONValue, _ body: RawSpan) { maxTokens = count(value, body) }

    mutating func readMaxCompletionTokens(_ value: JSONValue, _ body: RawSpan) { maxCompletionTokens = count(value, body) }

    private func count(_ value: JSONValue, _ body: RawSpan) -> Int? {
        if let count = JSON.integer(value, in: body) { return count > 0 ? count : nil }
        guard value.kind == .number,
            let number = Double(String(decoding: value.range.map { body.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }, as: UTF8.self))
        else {
            return nil
        }
        // A number above the range of Int exceeds the limit of every model.
        return number >= 9e18 ? .max : nil
    }

    /// Reads the value of `messages` and moves the cursor behind it.
    mutating func readMessages(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) -> JSONValue {
        guard try cursor.peekKind(body) == .array else { return try cursor.skipValue(body) }
        let start = cursor.offset
        estimate.add(tokens: TokenEstimate.ofReply)
        try cursor.enterArray(body)
        while try cursor.nextElement(body) { try readMessage(&cursor, body) }
        return JSONValue(range: start..<cursor.offset, kind: .array)
    }

    /// Reads the value of `input` in OpenAI's Responses: a text, or a list of items.
    mutating func readItems(_ value: JSONValue, _ body: RawSpan) {
        var cursor = JSONCursor(at: value.range.lowerBound)
        estimate.add(tokens: TokenEstimate.ofReply)
        do throws(JSONError) {
            guard value.kind == .array else { return try readText(&cursor, body) }
            try cursor.enterArray(body)
            while try cursor.nextElement(body) { try readItem(&cursor, body) }
        } catch {
            return  // the value was scanned before
        }
    }

    private mutating func readItem(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        guard try isObject(&cursor, body) else { return }
        estimate.add(tokens: TokenEstimate.ofMessage)
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            if JSON.isKey(key, "content", in: body) || JSON.isKey(key, "output", in: body) || JSON.isKey(key, "summary", in: body) {
                try readContent(&cursor, body)
            } else {
                // A shell call's command is its action.
                if JSON.isKey(key, "encrypted_content", in: body) { mayHaveTokens = true }
                if JSON.isKey(key, "action", in: body) { try readText(&cursor, body) } else { try readFunctionMember(key, &cursor, body) }
            }
        }
    }

    /// Reads the value of `system`: a text, or a list of parts.
    mutating func readSystem(_ value: JSONValue, _ body: RawSpan) {
        var cursor = JSONCursor(at: value.range.lowerBound)
        do throws(JSONError) { try readContent(&cursor, body) } catch {
            return  // the value was scanned before
        }
    }

    /// Reads Ollama's images: a list of base64 texts. In `images` of other formats are objects that a model has made.
    mutating func readImages(_ value: JSONValue, _ body: RawSpan) {
        guard value.kind == .array else { return }
        var cursor = JSONCursor(at: value.range.lowerBound)
        do throws(JSONError) {
            try cursor.enterArray(body)
            while try cursor.nextElement(body) {
                let image = try cursor.skipValue(body)
                guard image.kind == .string else { continue }
                let start = (image.range.lowerBound + 1)..<min(image.range.lowerBound + 25, image.range.upperBound - 1)
                let type = MediaType.ofBase64(String(decoding: start.map { body.byte($0) }, as: UTF8.self))
                add(type?.hasPrefix("audio/") == true ? .audio : .image)
            }
        } catch {
            return  // the value was scanned before
        }
    }

    /// Reads the texts of a request that is no chat: a text, tokens, or a list of texts, tokens or objects.
    mutating func readTexts(_ value: JSONValue, _ body: RawSpan) {
        var cursor = JSONCursor(at: value.range.lowerBound)
        do throws(JSONError) {
            guard value.kind == .array else { return try readTexts(&cursor, body) }
            try cursor.enterArray(body)
            while try cursor.nextElement(body) {
                let before = tokens
                let isToken = try cursor.peekKind(body) == .number
                try readTexts(&cursor, body)
                if !isToken { note(input: tokens &- before) }
            }
        } catch {
            return  // the value was scanned before
        }
    }

    private mutating func readTexts(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        switch try cursor.peekKind(body) {
        case .array:
            try cursor.enterArray(body)
            while try cursor.nextElement(body) { try readTexts(&cursor, body) }
        case .number:
            try cursor.skipValue(body)
            estimate.add(tokens: 1)
        case .string, .object, .true, .false, .null: try readText(&cursor, body)
        }
    }

    /// Reads the value of `tools` or `functions`. Its JSON counts as text, because most models get it as JSON in their
    /// prompt.
    mutating func readTools(_ value: JSONValue, _ body: RawSpan) {
        guard value.kind == .array, hasTool(value, body) else { return }
        add(.tools)
        addText(value.range, body)
    }

    /// Whether an element says something: Google's SDKs write `{}` and `{"functionDeclarations": []}` for no tools,
    /// while `{"googleSearch": {}}` is one.
    private func hasTool(_ list: JSONValue, _ body: RawSpan) -> Bool {
        var cursor = JSONCursor(at: list.range.lowerBound)
        do throws(JSONError) {
            try cursor.enterArray(body)
            while try cursor.nextElement(body) {
                let tool = try cursor.skipValue(body), object = body.extracting(tool.range)
                guard tool.kind == .object else { return true }
                if try JSON.members(of: object).contains(where: { $0.value.kind == .object || !JSON.isEmpty($0.value, in: object) }) {
                    return true
                }
            }
        } catch {
            return false
        }
        return false
    }

    private mutating func readMessage(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        guard try isObject(&cursor, body) else { return }
        estimate.add(tokens: TokenEstimate.ofMessage)
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            if JSON.isKey(key, "content", in: body) || JSON.isKey(key, "refusal", in: body)
                || JSON.isKey(key, "reasoning_content", in: body) || JSON.isKey(key, "thinking", in: body)
            {
                try readContent(&cursor, body)
            } else if JSON.isKey(key, "tool_calls", in: body) || JSON.isKey(key, "function_call", in: body) {
                try readCalls(&cursor, body)
            } else if JSON.isKey(key, "name", in: body) {
                estimate.add(tokens: TokenEstimate.ofName)
                try readText(&cursor, body)
            } else {
                if JSON.isKey(key, "reasoning_details", in: body) { mayHaveTokens = true }
                let value = try cursor.skipValue(body)
                if JSON.isKey(key, "images", in: body) { readImages(value, body) }
            }
        }
    }

    /// Reads a text, a part, or a list of these.
    private mutating func readContent(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        switch try cursor.peekKind(body) {
        case .string: try readText(&cursor, body)
        case .object: try readPart(&cursor, body)
        case .array:
            try cursor.enterArray(body)
            while try cursor.nextElement(body) { try readContent(&cursor, body) }
        case .number, .true, .false, .null: try cursor.skipValue(body)
        }
    }

    private mutating func readPart(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        let start = cursor.offset
        var hasKnownType = false, hasUnknownType = false, hasText = false
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            if JSON.isKey(key, "type", in: body) {
                let type = try cursor.skipValue(body)
                guard type.kind == .string, type.range.count > 2 else { continue }
                switch Medium(type: type, in: body) {
                case .text: hasKnownType = true
                case .known(let capability):
                    hasKnownType = true
                    add(capability)
                case nil: hasUnknownType = true
                }
            } else if JSON.isKey(key, "text", in: body) || JSON.isKey(key, "refusal", in: body) || JSON.isKey(key, "thinking", in: body) {
                hasText = true
                try readText(&cursor, body)
            } else if JSON.isKey(key, "input", in: body) {
                // The arguments of a tool call in Anthropic's format.
                try readText(&cursor, body)
            } else if JSON.isKey(key, "content", in: body) {
                // A tool result in Anthropic's format is a part that contains parts.
                hasText = true
                try readContent(&cursor, body)
            } else {
                // Of blocks with thinking and with citations in Anthropic's format.
                if JSON.isKey(key, "signature", in: body) || JSON.isKey(key, "data", in: body) || JSON.isKey(key, "citations", in: body) {
                    mayHaveTokens = true
                }
                try cursor.skipValue(body)
            }
        }
        if hasKnownType { return }
        if let capability = try Self.capability(ofMembersFrom: start, body) {
            add(capability)
        } else if hasUnknownType || !hasText {
            needsAnyMedium = true
        }
    }

    /// The capability that the members of a part need, if its type doesn't say so: by the media type in them, as in
    /// Gemini's `inline_data` and `file_data`, or else by their names.
    private static func capability(ofMembersFrom start: Int, _ body: RawSpan) throws(JSONError) -> Capability? {
        var cursor = JSONCursor(at: start)
        var named: Capability?
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            let value = try cursor.skipValue(body)
            if value.kind == .null { continue }
            if let capability = mediaType(key, value, body) { return capability }
            if let capability = try mediaType(inside: value, body) { return capability }
            if named == nil, case .known(let capability)? = Medium(named: JSON.string(key, in: body)) { named = capability }
        }
        return named
    }

    private static func mediaType(inside value: JSONValue, _ body: RawSpan) throws(JSONError) -> Capability? {
        guard value.kind == .object else { return nil }
        var cursor = JSONCursor(at: value.range.lowerBound)
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            if let capability = mediaType(key, try cursor.skipValue(body), body) { return capability }
        }
        return nil
    }

    /// The capability for a member that is a media type. Gemini's parts have `mime_type`, or `mimeType`, and
    /// Anthropic's sources `media_type`.
    private static func mediaType(_ key: Range<Int>, _ value: JSONValue, _ body: RawSpan) -> Capability? {
        guard value.kind == .string,
            JSON.isKey(key, "mime_type", in: body) || JSON.isKey(key, "mimeType", in: body) || JSON.isKey(key, "media_type", in: body)
                || JSON.isKey(key, "mediaType", in: body)
        else { return nil }
        return Medium.capability(ofMediaType: JSON.string(value.range, in: body))
    }

    private mutating func readCalls(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        guard try cursor.peekKind(body) == .array else { return try readCall(&cursor, body) }
        try cursor.enterArray(body)
        while try cursor.nextElement(body) { try readCall(&cursor, body) }
    }

    private mutating func readCall(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        guard try isObject(&cursor, body) else { return }
        estimate.add(tokens: TokenEstimate.ofCall)
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            if JSON.isKey(key, "function", in: body) || JSON.isKey(key, "custom", in: body) {
                try readFunction(&cursor, body)
            } else {
                try readFunctionMember(key, &cursor, body)
            }
        }
    }

    private mutating func readFunction(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        guard try isObject(&cursor, body) else { return }
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) { try readFunctionMember(key, &cursor, body) }
    }

    private mutating func readFunctionMember(_ key: Range<Int>, _ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        if JSON.isKey(key, "name", in: body) || JSON.isKey(key, "arguments", in: body) || JSON.isKey(key, "input", in: body) {
            try readText(&cursor, body)
        } else {
            try cursor.skipValue(body)
        }
    }

    /// Reads a string. Any other value except null counts as its JSON text.
    mutating func readText(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        let value = try cursor.skipValue(body)
        switch value.kind {
        case .string: addText((value.range.lowerBound + 1)..<(value.range.upperBound - 1), body)
        case .object, .array, .number, .true, .false: addText(value.range, body)
        case .null: break
        }
    }

    private mutating func addText(_ range: Range<Int>, _ body: RawSpan) {
        if isExact { estimate.addText(range, of: body) } else { unreadTextBytes &+= range.count }
    }

    /// Whether an object follows. Any other value is skipped.
    func isObject(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) -> Bool {
        if try cursor.peekKind(body) == .object { return true }
        try cursor.skipValue(body)
        return false
    }
}

/// The medium of a message part.
private enum Medium {
    case text
    case known(Capability)

    /// The types of parts that are text. Sources: OpenAI's API reference for Chat Completions and Responses;
    /// Anthropic's Messages.
    private static let texts: Set = [
        "text", "input_text", "output_text", "summary_text", "reasoning_text", "reasoning", "refusal", "thinking", "redacted_thinking",
        "tool_use", "tool_result", "tool_call", "tool_reference", "server_tool_use", "search_result", "cache_control", "json",
    ]

    /// The medium of a part with this type, a string; nil if it is unknown.
    init?(type: JSONValue, in body: RawSpan) {
        if JSON.isString(type, "text", in: body) {
            self = .text
        } else {
            self.init(named: JSON.string(type.range, in: body))
        }
    }

    /// The medium that the name of a type or a member contains: `image_url`, `input_audio`, `document`, `imageUrl`,
    /// `video/mp4`. Clients use many names, such as `video` (Qwen-VL's), `document_url` (Mistral's), `image_embeds`
    /// (vLLM's) and `image_file` (OpenAI's Assistants); nil if it contains none.
    init?(named name: String) {
        let lowercase = name.lowercased()
        if Self.texts.contains(lowercase) || lowercase.hasPrefix("text/") {
            self = .text
        } else if let capability = Self.capability(ofMediaType: lowercase) ?? Self.capability(ofWords: Self.words(of: name)) {
            self = .known(capability)
        } else {
            return nil
        }
    }

    /// The capability for a media type, such as `image/png`, in any case; nil if the router knows none.
    static func capability(ofMediaType type: String) -> Capability? {
        switch type.prefix(while: { $0 != "/" }).lowercased() {
        case let top where top.utf8.count == type.utf8.count: nil
        case "image": .image
        case "audio": .audio
        case "video": .video
        case "application", "text": .file
        default: nil
        }
    }

    private static func capability(ofWords words: [String]) -> Capability? {
        let media: [(Capability, [String])] = [
            (.image, ["image", "images"]), (.audio, ["audio", "audios"]), (.video, ["video", "videos"]),
            (.file, ["file", "files", "document", "documents", "pdf"]),
        ]
        return media.first { $0.1.contains(where: words.contains) }?.0
    }

    /// The words of a name in lower case: `image` and `url` of `image_url`, `imageUrl` and `IMAGE-URL`.
    private static func words(of name: String) -> [String] {
        var words = [""], isAfterLowercase = false
        for character in name {
            if character == "_" || character == "-" || character == "." || isAfterLowercase && character.isUppercase { words.append("") }
            if character.isLetter { words[words.count - 1] += character.lowercased() }
            isAfterLowercase = character.isLowercase
        }
        return words
    }
}
