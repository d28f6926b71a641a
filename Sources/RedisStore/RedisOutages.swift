package import Engine
import HTTPWire

extension RedisCall {
    package static func announce(_ news: BreakerNews, prefix: String) -> RedisCall {
        let milliseconds = news.openFor == .zero ? 0 : max(1, Int(clamping: news.openFor.wholeNanoseconds / 1_000_000))
        return RedisCall(
            script: .announce, names: [RedisScript.outages(news.kind, prefix: prefix)], arguments: [news.name.joined, "\(milliseconds)"])
    }

    package static func outages(prefix: String) -> RedisCall {
        RedisCall(
            script: .outages, names: [RedisScript.outages(.breaker, prefix: prefix), RedisScript.outages(.cooldown, prefix: prefix)],
            arguments: [])
    }
}

extension SharedName {
    /// Names of a policy contain no spaces.
    fileprivate var joined: String { [provider, model, upstream].compactMap { $0 }.joined(separator: " ") }

    fileprivate init?(joined: String) {
        let parts = joined.split(separator: " ", maxSplits: 2).map(String.init)
        guard parts.count == 1 || parts.count == 3 else { return nil }
        self.init(provider: parts[0], model: parts.count == 3 ? parts[1] : nil, upstream: parts.count == 3 ? parts[2] : nil)
    }
}

extension SharedOutages {
    /// What `RedisScript.outages` returns; nil for anything else.
    package init?(_ reply: RedisReply) {
        guard case .array(let lists) = reply, lists.count == 2, let open = Self.times(lists[0]), let cooling = Self.times(lists[1]) else {
            return nil
        }
        self.init(open: open, cooling: cooling)
    }

    private static func times(_ reply: RedisReply) -> [SharedName: Duration]? {
        guard case .array(let items) = reply, items.count.isMultiple(of: 2) else { return nil }
        var times: [SharedName: Duration] = [:]
        for index in stride(from: 0, to: items.count, by: 2) {
            guard case .text(let text) = items[index], case .integer(let milliseconds) = items[index + 1] else { return nil }
            if let name = SharedName(joined: text), milliseconds > 0 { times[name] = .milliseconds(milliseconds) }
        }
        return times
    }
}

extension ServedConversation {
    /// Hosts come from providers, so the host is the last line.
    var lines: String { "\(provider)\n\(model)\n\(host ?? "")" }

    init?(lines: String) {
        let parts = lines.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { return nil }
        self.init(provider: parts[0], model: parts[1], host: parts[2].isEmpty ? nil : parts[2])
    }
}
