import ConfigTree
internal import Crypto

extension StateSettings {
    static let section = OptionSection<StateSettings>(
        "state", "where the usage of keys is kept, and what several routers count together",
        [
            Option(
                "file", takes: OptionType.file.kind, .words("in memory, which a restart forgets"),
                help: "a database that the router creates; its folder must exist and be writable",
                entries: { state, _ in state.file.map { [OptionEntry("file", .text($0))] } ?? [] },
                read: { fields, _, state in
                    state.filePosition = fields.node("file")?.position
                    state.file = OptionType.file.read(&fields, "file")
                }),
            Option(
                "redis", takes: .other("address, such as redis://:PASSWORD@HOST:6379"), .words("none: each router counts alone"),
                help: "a Redis server that counts limits and budgets for several routers; write the address as a variable",
                entries: { state, _ in
                    state.redis.map { [OptionEntry("redis", .opaque(Array(SHA256.hash(data: Array($0.identity.utf8)))))] } ?? []
                },
                read: { fields, _, state in state.redis = fields.redisAddress("redis") }),
            Option("prefix", \.prefix, .prefix, help: "the beginning of all names in Redis; routers with the same one count together"),
            Option(
                "lease", \.lease, .share(upTo: 50),
                help: "how much of what is left of a key's limits a router takes from Redis at once, to spend it without asking"),
            Option(
                "on_failure", \.onFailure, .word,
                help: "what is served while Redis does not respond: what the router's own counts allow, nothing, or everything"),
        ])
}

extension PolicySchema {
    /// `memory`, a Redis server's address, or a mapping.
    mutating func readState(_ fields: inout FieldReader) -> StateSettings {
        var state = StateSettings()
        guard case .scalar(let scalar)? = fields.node("state")?.content, scalar.isUnresolved || scalar.text.contains(":") else {
            if case .scalar(let scalar)? = fields.node("state")?.content, scalar.text == "memory" { return state }
            return read(StateSettings.section, at: "state", of: &fields) { Self.checkRedis($2, &$0) } ?? state
        }
        state.redis = fields.redisAddress("state")
        return state
    }

    /// A budget that a restart forgets bounds less than it says.
    mutating func checkBudgets(_ fields: FieldReader) {
        guard let firstBudget, !fields.isPresent("state") else { return }
        report(
            ConfigIssue(
                .warning, at: firstBudget,
                "a restart of the router begins the budgets of keys anew: what they have spent is kept in memory",
                hint: "add 'state: { file: /var/lib/llm-router/state.db }' at the top level, or 'state: memory' if that is what you want"))
    }

    /// Reports options that mean nothing without Redis.
    private static func checkRedis(_ state: StateSettings, _ fields: inout FieldReader) -> Bool {
        guard state.redis == nil, !fields.isPresent("redis") else { return true }
        for key in ["prefix", "lease", "on_failure"] where fields.isPresent(key) {
            fields.report(key, "'\(key)' needs 'redis'", hint: "add 'redis: ${REDIS_URL}', or remove the line")
        }
        return true
    }
}

extension FieldReader {
    /// nil if it is absent, unset or wrong. The address may contain a password, so no message shows it.
    fileprivate mutating func redisAddress(_ key: String) -> RedisAddress? {
        guard let node = node(key) else { return nil }
        markSecret(node)
        guard let text = string(key), !node.isUnresolved else { return nil }
        if let address = RedisAddress(parsing: text) { return address }
        report(key, "'\(key)' is not the address of a Redis server", hint: "write \(RedisAddress.forms)")
        return nil
    }
}

extension RedisAddress {
    /// Everything that it consists of, for the digest.
    fileprivate var identity: String { "\(server) \(user ?? "") \(password?.reveal() ?? "") \(database)" }
}

extension OptionType where Value == Double {
    /// A percentage, as a ratio. 0% is none.
    static func share(upTo most: Int) -> OptionType {
        OptionType(
            kind: .other("percentage, at most \(most)%"),
            read: { fields, key in
                guard let text = fields.string(key) else { return nil }
                if text.last == "%", let percent = Double(text.dropLast()), 0...Double(most) ~= percent { return percent / 100 }
                fields.report(key, "'\(key)' takes 0% to \(most)%, not '\(abbreviated(text))'", hint: "write it as '10%'")
                return nil
            }, written: { "\(($0 * 100).asWritten)%" })
    }
}

extension OptionType where Value == String {
    /// Plain characters, so that patterns of Redis' access control lists can name it.
    static let prefix = OptionType(
        kind: .other("letters, digits and -_.:"),
        read: { fields, key in
            guard let text = fields.string(key) else { return nil }
            let isPlain = text.utf8.allSatisfy { "-_.:".utf8.contains($0) || 0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0 }
            if isPlain, text.utf8.count <= 64 { return text }
            fields.report(
                key, "'\(key)' takes at most 64 letters, digits and -_.:, not '\(abbreviated(text))'", hint: "write it as 'llm-router'")
            return nil
        }, written: { $0 })
}
