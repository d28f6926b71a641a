import Codecs
import ConfigTree

extension ListenerDefinition {
    static let section = OptionSection<ListenerDefinition>(
        "listen", "an address with options",
        [
            Option(
                "address", takes: .text, .required, help: "HOST:PORT, :PORT or unix:PATH",
                entries: { listener, _ in [OptionEntry("address", .text("\(listener.address)"))] },
                // Read by `readListener`, which needs its place.
                read: { fields, _, _ in fields.declare("address", as: .text) }),
            Option(
                section: "tls", \.tls, ListenerTLS.section, .words("plain HTTP"), help: "makes it HTTPS",
                check: { _, _, tls, _ in !tls.certificate.isEmpty && !tls.key.isEmpty }),
            Option(
                "proxy_protocol", takes: .bool, .value("false"),
                help: "whether each connection begins with a header of the PROXY protocol, version 2, from 'server.trusted_proxies'",
                entries: { listener, _ in listener.readsProxyHeader ? [OptionEntry("proxy_protocol", .text("true"))] : [] },
                read: { fields, _, listener in listener.readsProxyHeader = fields.bool("proxy_protocol") ?? false }),
            Option("mode", \.mode, .fileMode, .words("by the umask"), help: "who may connect to a unix socket, as 'chmod' has it"),
            Option(
                "owner", \.owner, .owner, .words("who runs the router"),
                help: "who owns a unix socket: user, user:group or :group; another user needs the privilege"),
        ])

    /// As a list of listeners shows it.
    func words(in policy: RoutingPolicy) -> String {
        let options = Self.section.entries(of: self, in: policy).dropFirst()
        return options.isEmpty ? "\(address)" : "\(address) (\(OptionValue.section(Array(options)).words))"
    }
}

extension OptionType where Value == Int {
    /// The permissions of a file, in octal digits.
    static let fileMode = OptionType(
        kind: .other("octal number, such as 0660"),
        read: { fields, key in
            guard let text = fields.string(key) else { return nil }
            if 3...4 ~= text.utf8.count, let mode = Int(text, radix: 8), 0...0o777 ~= mode { return mode }
            fields.report(key, "'\(key)' takes three octal digits, not '\(abbreviated(text))'", hint: "write it as '0660'")
            return nil
        }, written: { "0\(String($0, radix: 8))" })
}

extension OptionType where Value == String {
    /// A user, a group, or both, as `chown` takes them.
    static let owner = OptionType(
        kind: .text,
        read: { fields, key in
            guard let text = fields.string(key) else { return nil }
            let names = text.split(separator: ":", omittingEmptySubsequences: false)
            func isName(_ name: Substring) -> Bool {
                // A number with all bits set means nobody, and a name begins with no sign.
                let isNumber = name.utf8.allSatisfy { 0x30...0x39 ~= $0 }
                return !name.isEmpty && !"-+".contains(name.first ?? "-") && !name.contains { $0.isWhitespace || $0 == "/" }
                    && (!isNumber || UInt32(name).map { $0 < .max } ?? false)
            }
            let isRight =
                names.count == 1 ? isName(names[0]) : names.count == 2 && (names[0].isEmpty || isName(names[0])) && isName(names[1])
            if isRight { return text }
            fields.report(
                key, "'\(key)' takes a user, a group or both, not '\(abbreviated(text))'", hint: "write 'user', 'user:group' or ':group'")
            return nil
        }, written: { $0 })
}

extension ListenerTLS {
    static let section = OptionSection<ListenerTLS>(
        "listen.tls", "the certificates of a listener; a reload reads the files again, and new connections use them",
        [
            Option(
                "certificate", takes: .other("absolute path of a file"), .required,
                help: "a PEM file with the certificate, and those between it and its root",
                entries: { tls, _ in [OptionEntry("certificate", .text(tls.certificate))] },
                read: { fields, _, tls in
                    if let node = fields.node("certificate") { tls.position = node.position }
                    tls.certificate = readPath("certificate", &fields, required: true) ?? ""
                }),
            Option(
                "key", takes: .other("absolute path of a file"), .required, help: "a PEM file with the private key of the certificate",
                entries: { tls, _ in [OptionEntry("key", .text(tls.key))] },
                read: { fields, schema, tls in
                    // The path of a key is no secret.
                    if let node = fields.node("key") { schema.plain.append(node.position) }
                    tls.key = readPath("key", &fields, required: true) ?? ""
                }),
            Option(
                "client_ca", takes: .other("absolute path of a file"), .words("clients need no certificate"),
                help: "a PEM file with authorities; every client must then have a certificate of theirs",
                entries: { tls, _ in tls.clientCA.map { [OptionEntry("client_ca", .text($0))] } ?? [] },
                read: { fields, _, tls in tls.clientCA = readPath("client_ca", &fields, required: false) }),
            Option("min_version", \.minVersion, .word, help: "the oldest version of TLS that clients may speak"),
        ])

    private static func readPath(_ key: String, _ fields: inout FieldReader, required: Bool) -> String? {
        if required, !fields.isPresent(key) {
            fields.report(
                ConfigIssue(
                    at: fields.position, "'tls' has no '\(key)'", hint: "write '\(key): /etc/llm-router/\(key).pem', a file in PEM form"))
            return nil
        }
        return OptionType.pemFile.read(&fields, key)
    }
}

extension PolicySchema {
    /// nil if the option is absent.
    mutating func readListen(_ fields: inout FieldReader) -> [(listener: ListenerDefinition, position: SourcePosition)]? {
        guard let entry = fields.entry("listen") else { return nil }
        let nodes: [ConfigNode]
        if case .sequence(let list) = entry.value.content { nodes = list } else { nodes = [entry.value] }
        if nodes.isEmpty || entry.value.isNull {
            fields.report("listen", "'listen' names no address", hint: "write '127.0.0.1:8080', or remove the line")
            return nil
        }
        var seen: Set<ListenAddress> = []
        return nodes.compactMap { node in
            guard let (listener, text) = listener(node, of: entry.key) else { return nil }
            guard seen.insert(listener.address).inserted || listener.address.isAnyPort else {
                report(ConfigIssue(at: text.position, "'\(abbreviated(text.source))' is listed twice", hint: "keep one of the two"))
                return nil
            }
            return (listener, text.position)
        }
    }

    /// One entry: an address, or a mapping with an address and options.
    private mutating func listener(_ node: ConfigNode, of key: ConfigText) -> (ListenerDefinition, ConfigText)? {
        guard case .mapping = node.content else {
            // A reader with the node as its only field reads the address as any text is read.
            var fields = FieldReader([ConfigEntry(key: key, value: node)], at: node.position)
            let address = readAddress(key.text, &fields)
            add(fields.issues, secrets: [])
            return address.map { (ListenerDefinition($0.address), $0.text) }
        }
        var fields = FieldReader(node, of: key)
        var listener = ListenerDefinition()
        read(ListenerDefinition.section, &fields, into: &listener)
        let address = readAddress("address", &fields)
        if address == nil, !fields.isPresent("address") {
            fields.report(ConfigIssue(at: node.position, "an entry of 'listen' has no 'address'", hint: "write 'address: 127.0.0.1:8080'"))
        }
        if let address, case .tcp = address.address {
            for option in ["mode", "owner"] where fields.isPresent(option) {
                fields.report(option, "'\(option)' is for unix sockets, and '\(address.address)' is none", hint: "remove it")
            }
        }
        if listener.readsProxyHeader { proxyListeners.append(node.position) }
        finish(&fields, ListenerDefinition.section)
        guard let address else { return nil }
        listener.address = address.address
        return (listener, address.text)
    }

    private func readAddress(_ key: String, _ fields: inout FieldReader) -> (address: ListenAddress, text: ConfigText)? {
        guard let text = fields.name(key), !text.isUnresolved else { return nil }
        if let address = ListenAddress(parsing: text.text) { return (address, text) }
        fields.report(
            ConfigIssue(
                at: text.position, "'listen' takes an address with its port, not '\(abbreviated(text.source))'",
                hint: listenHint(text.source)))
        return nil
    }

    private func listenHint(_ text: String) -> String {
        let port = text.lastIndex(of: ":").map { text[$0...].dropFirst() } ?? text[...]
        let isNumber = !port.isEmpty && port.allSatisfy { $0.isASCIIDigit }
        if isNumber, UInt16(port) == nil { return "a port is at most 65535" }
        if isNumber, port.count == text.count {
            return "write '127.0.0.1:\(text)' for this machine only, or ':\(text)' for every interface"
        }
        if text.hasPrefix("/") { return "write 'unix:\(abbreviated(text))' for a unix socket" }
        if text.hasPrefix("unix:") {
            return "the path of a unix socket begins with '/' and has at most 107 bytes: write 'unix:/run/llm-router.sock'"
        }
        if text.hasPrefix("https://") { return "write the address alone, and 'tls:' beside it: '{ address: :8443, tls: { … } }'" }
        return "write '127.0.0.1:8080', '[::1]:8080', ':8080' or 'unix:/run/llm-router.sock'"
    }

    /// A listener for proxies that trusts none would refuse every connection.
    mutating func checkProxies(_ server: ServerSettings) {
        guard server.trustedProxies.isEmpty else { return }
        for position in proxyListeners {
            report(
                ConfigIssue(
                    at: position, "'proxy_protocol' needs proxies that are trusted, and 'server.trusted_proxies' names none",
                    hint: "write their addresses: 'server: { trusted_proxies: [10.0.0.0/8] }'"))
        }
    }

    /// Clients on other machines must have a key, and web pages should.
    mutating func checkExposure(_ listen: [(listener: ListenerDefinition, position: SourcePosition)]) {
        if let anyOrigin {
            report(
                ConfigIssue(
                    .warning, at: anyOrigin, "there are no keys, so every web page that someone opens on this machine can use the router",
                    hint: "list the origins of your own pages, or add 'keys:'"))
        }
        for (listener, position) in listen where !listener.address.isLocal {
            report(
                ConfigIssue(
                    at: position, "other machines can reach this address, and there are no keys",
                    hint: "add 'keys:', or listen on 127.0.0.1"))
        }
    }
}
