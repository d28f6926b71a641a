import Codecs
import ProviderKit

extension JSONWriter {
    /// Writes a member with a number; nothing if the value is nil. The name must not need escapes.
    mutating func number(_ name: StaticString, _ value: Double?) {
        guard let value else { return }
        key(name)
        double(value)
    }

    /// Writes a member with a string, with escapes in its name if it needs them.
    mutating func member(escaping name: String, _ value: String) {
        key(escaping: name)
        string(value)
    }

    /// Writes the settings whose names are the same in both of OpenAI's formats: all but the verbosity.
    mutating func members(of service: ChatServiceSettings) {
        if let tier = service.tier { member("service_tier", tier) }
        if let key = service.promptCacheKey { member("prompt_cache_key", key) }
        if let retention = service.promptCacheRetention { member("prompt_cache_retention", retention) }
    }

    /// Writes ``ChatPart/cacheControl``, whose name is the same in every format that has it.
    mutating func cacheControl(_ json: [UInt8]?) {
        guard let json else { return }
        key("cache_control")
        raw(json)
    }
}

extension ChatReasoning {
    /// The effort by name; nil if the model decides. A budget becomes the effort that spends about as much; the bounds
    /// are the router's own choice.
    var effortName: String? {
        switch self {
        case .effort(let effort): effort
        case .budget(...0): "none"
        case .budget(..<4096): "low"
        case .budget(..<16_384): "medium"
        case .budget: "high"
        case .adaptive: nil
        }
    }
}
