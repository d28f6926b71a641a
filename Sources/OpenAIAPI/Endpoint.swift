import HTTPWire

/// What a path asks for. OpenAI's paths are served under `/v1`, `/api/v1` and without a prefix, because clients disagree on the base URL.
enum Endpoint: Equatable {
    case chat
    case models
    /// The id as it stands in the path, percent-decoded; ids may hold slashes.
    case model(String)
    case health, livez, readyz
    case metrics
    case reload, explain, check

    init?(path: String) {
        switch path {
        case "/v1/chat/completions", "/chat/completions", "/api/v1/chat/completions": self = .chat
        case "/v1/models", "/models", "/api/v1/models": self = .models
        case "/health", "/v1/health", "/api/v1/health": self = .health
        case "/livez": self = .livez
        case "/readyz": self = .readyz
        case "/metrics": self = .metrics
        case "/admin/reload": self = .reload
        case "/admin/explain": self = .explain
        case "/admin/check": self = .check
        default:
            guard let prefix = ["/v1/models/", "/api/v1/models/", "/models/"].first(where: path.hasPrefix) else { return nil }
            guard let id = String(percentEncoded: path.utf8.dropFirst(prefix.utf8.count)), !id.isEmpty else { return nil }
            self = .model(id)
        }
    }

    /// In logs and metrics.
    var name: String {
        switch self {
        case .chat: "chat"
        case .models, .model: "models"
        case .health: "health"
        case .livez: "livez"
        case .readyz: "readyz"
        case .metrics: "metrics"
        case .reload: "reload"
        case .explain: "explain"
        case .check: "check"
        }
    }

    var allowedMethods: StaticString {
        switch self {
        case .chat, .reload, .explain, .check: "POST, OPTIONS"
        case .models, .model, .health, .livez, .readyz, .metrics: "GET, HEAD, OPTIONS"
        }
    }

    func allows(_ method: RequestHead.Method) -> Bool {
        switch self {
        case .chat, .reload, .explain, .check: method == .post
        case .models, .model, .health, .livez, .readyz, .metrics: method == .get || method == .head
        }
    }

    /// What a caller needs for it, where the policy has keys.
    var access: Access {
        switch self {
        case .chat: .endpoint("chat")
        case .models, .model: .endpoint("models")
        case .health, .livez, .readyz: .open
        case .metrics, .reload, .explain, .check: .admin
        }
    }

    enum Access: Equatable {
        case open
        /// A key whose `endpoints` hold this name.
        case endpoint(String)
        case admin
    }
}

extension String {
    /// The text that percent-encoded bytes stand for; nil where an escape is broken or the text is not UTF-8.
    init?(percentEncoded encoded: some Sequence<UInt8>) {
        var bytes: [UInt8] = []
        var iterator = encoded.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(Self.hexValue), let low = iterator.next().flatMap(Self.hexValue) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
