import Codecs

/// A provider's own form of reasoning, which only its maker understands and some makers need back, such as Anthropic's
/// `signature`.
///
/// A client keeps it as a text, and sends it back with the conversation, which may then go to another provider. So the
/// text that a client gets in a translated response names the maker: it is ``tagged``. This type alone writes and reads
/// such tags.
public struct OpaqueToken: Sendable, Equatable {
    /// What a token stands for.
    public enum Kind: Sendable, Equatable {
        /// It belongs to reasoning in words, and proves that they are unchanged.
        case signature
        /// It is the reasoning, encrypted. There are no words.
        case encrypted
    }

    /// Who understands a token.
    public enum Origin: Sendable, Equatable {
        /// The provider with this tag.
        case provider(tag: String)
        /// A provider with this wire format, because the response that had the token passed through.
        case format(WireFormat)
    }

    /// The token as its maker has sent it.
    public var value: String
    /// What it stands for.
    public var kind: Kind
    /// Who understands it.
    public var origin: Origin

    /// Creates a token.
    public init(_ value: String, _ kind: Kind, _ origin: Origin) {
        self.value = value
        self.kind = kind
        self.origin = origin
    }

    /// Creates the token of a response to `call`.
    public init(_ value: String, _ kind: Kind, madeFor call: Call) {
        self.init(value, kind, .provider(tag: call.tokenTag))
    }

    /// The text for a client: `llm-router:TAG:VALUE`, or the value alone if its origin is a format.
    public var tagged: String {
        switch origin {
        case .provider(let tag): "\(Self.mark)\(tag):\(value)"
        case .format: value
        }
    }

    /// Reads what a client sends back; nil for an empty text and for ``none``.
    ///
    /// - Parameters:
    ///   - text: the text that the client got.
    ///   - kind: what the token stands for.
    ///   - format: the format of the client's request, which is the origin of a text without a tag.
    public init?(tagged text: String, _ kind: Kind, in format: WireFormat) {
        guard !text.isEmpty else { return nil }
        guard text.hasPrefix(Self.mark) else {
            self.init(text, kind, .format(format))
            return
        }
        let rest = text.dropFirst(Self.mark.count)
        guard let colon = rest.firstIndex(of: ":") else { return nil }
        self.init(String(rest[rest.index(after: colon)...]), kind, .provider(tag: String(rest[..<colon])))
    }

    /// The value, if the provider of a call understands it; otherwise nil.
    ///
    /// - Parameters:
    ///   - call: the call at the provider.
    ///   - format: the provider's wire format.
    public func value(for call: Call, in format: WireFormat) -> String? {
        switch origin {
        case .provider(let tag): tag == call.tokenTag ? value : nil
        case .format(let origin): origin == format ? value : nil
        }
    }

    /// The text for reasoning without a token, for clients whose format requires one.
    public static let none = mark + "none"

    /// What tagged texts begin with.
    public static let mark = "llm-router:"

    /// Whether a tagged text, or ``none``, may occur in JSON.
    public static func mayOccur(in json: RawSpan) -> Bool {
        // A hyphen is rarer than any of the letters.
        var start = 0
        while let hyphen = json.firstIndex(of: ASCII.minus, in: start..<json.byteCount) {
            if hyphen >= 3, json.byteCount - hyphen >= 8, json.equals(hyphen - 3..<hyphen + 8, "llm-router:") { return true }
            start = hyphen + 1
        }
        return false
    }
}

extension Call {
    /// The tag of the tokens that this call's provider makes: a hash of its name, which clients need not know. Source:
    /// RFC draft-eastlake-fnv, FNV-1a with 32 bits.
    var tokenTag: String {
        let hash = provider.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        return Hex.encoded((0..<4).map { UInt8(truncatingIfNeeded: hash >> UInt32(24 - 8 * $0)) })
    }
}
