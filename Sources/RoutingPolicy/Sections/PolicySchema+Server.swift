import ConfigTree

extension ServerSettings {
    static let section = OptionSection<ServerSettings>(
        "server", "timeouts and bounds of the client side",
        [
            Option("keepalive", \.keepalive, .duration, help: "how long a stream is silent before the client gets a keep-alive comment"),
            Option("write_stall", \.writeStall, .duration, help: "how long a client may read nothing before it is disconnected"),
            Option("head_timeout", \.headTimeout, .duration, help: "how long a client may take to send the head of a request"),
            Option("body_timeout", \.bodyTimeout, .duration, help: "the longest pause between two reads of a request's body"),
            Option("body_total", \.bodyTotal, .duration, help: "how long a client may take to send the whole body of a request"),
            Option("max_body", \.maxBodyBytes, .size((1 << 10)...(1 << 30)), help: "the largest body of a request"),
            Option(
                "max_buffered", \.maxBufferedBytes, .size((1 << 20)...(1 << 40)),
                help:
                    "memory for all large bodies and events that are being assembled, and for responses that wait for their clients; above it requests fail"
            ),
            Option("spool", \.spool, .folder, help: "the folder for forms of more than 1 MiB, such as recordings; they have no name in it"),
            Option("max_upload", \.maxUploadBytes, .size((1 << 10)...(1 << 40)), help: "the largest form of a request"),
            Option(
                "max_spooled", \.maxSpooledBytes, .size((1 << 20)...(1 << 50)),
                help: "how much all forms in the folder 'spool' may take together; above it requests fail"),
            Option(
                "drain", \.drain, .duration(.zero ... .seconds(24 * 3600)),
                help: "after SIGTERM: how long running requests may take to finish"),
            Option(
                "pre_stop", \.preStop, .duration(.zero ... .seconds(3600)),
                help: "after SIGTERM: how long the router still serves after /readyz has turned 503"),
            Option(
                "codex_catalog", \.hasCodexCatalog, .bool,
                help: "whether Codex gets a catalog of the models in place of its own, with their limits and capabilities"),
            Option(
                "models_ttl", \.modelsTTL, .wait,
                help: "how long a provider's own list of models is kept, for GET /models/{id}; with 0s, none is fetched"),
            Option(
                "cors", takes: .other("list of origins, or '*'"), .words("none"),
                help: "web pages of these origins may use the router from a browser",
                entries: { server, _ in server.cors.isEmpty ? [] : [OptionEntry("cors", .list(server.cors))] },
                read: { fields, schema, server in server.cors = schema.readOrigins(&fields) }),
            Option(
                "hosts", takes: .other("list of names"), .words("none"),
                help: "without keys: names in the 'Host' of a request that are served besides localhost, 127.0.0.1 and [::1]",
                entries: { server, _ in server.hosts.isEmpty ? [] : [OptionEntry("hosts", .list(server.hosts.map(\.text)))] },
                read: { fields, schema, server in server.hosts = schema.readHosts(&fields) }),
            Option(
                "trusted_proxies", takes: .other("list of addresses"), .words("none"),
                help: "who may say, in X-Forwarded-For or by 'proxy_protocol', who the client is",
                entries: { server, _ in
                    server.trustedProxies.isEmpty ? [] : [OptionEntry("trusted_proxies", .list(server.trustedProxies.map(\.text)))]
                },
                read: { fields, schema, server in server.trustedProxies = schema.readProxies(&fields) }),
            Option(
                "ollama_version", \.ollamaVersion, .versionNumber,
                help: "the version that 'GET /api/version' tells Ollama's clients, some of which want a recent one"),
        ])
}

extension PolicySchema {
    /// The folder for uploads must be usable, and have room for the largest. A default folder is tested by the service,
    /// if the policy needs it.
    mutating func checkSpool(_ server: ServerSettings, _ entries: [ConfigEntry]) {
        func position(_ keys: String...) -> SourcePosition? { entries.first { keys.contains($0.key.text) }?.value.position }
        if server.spool != ServerSettings().spool, let place = position("spool"),
            let problem = source.problem(keepingFilesIn: server.spool)
        {
            report(
                ConfigIssue(
                    at: place, "can't keep uploads in '\(abbreviated(server.spool))': \(problem)",
                    hint: "make the folder writable, or name another one"))
        }
        if server.maxUploadBytes > server.maxSpooledBytes, let place = position("max_upload", "max_spooled") {
            report(
                ConfigIssue(
                    .warning, at: place, "'max_upload' is larger than 'max_spooled', so the largest uploads never fit",
                    hint: "raise 'max_spooled', or lower 'max_upload'"))
        }
    }

    fileprivate mutating func readOrigins(_ fields: inout FieldReader) -> [String] {
        let texts = fields.texts("cors") ?? []
        anyOrigin = texts.first { $0.text == "*" }?.position
        return texts.compactMap { text in
            if text.isUnresolved { return nil }
            if let origin = WebOrigin.normalized(text.text) { return origin }
            fields.report(
                ConfigIssue(
                    at: text.position, "'cors' takes origins of web pages, not '\(abbreviated(text.source))'",
                    hint: "write each as a browser sends it, without a path: 'https://app.example'; or '*' for all of them"))
            return nil
        }
    }

    fileprivate mutating func readHosts(_ fields: inout FieldReader) -> [HostName] {
        (fields.texts("hosts") ?? []).compactMap { text in
            if text.isUnresolved { return nil }
            if let host = HostName(text.text) { return host }
            fields.report(
                ConfigIssue(
                    at: text.position, "'hosts' takes names and IP addresses, not '\(abbreviated(text.source))'",
                    hint: "write each name as it is in the URL, without scheme, port and wildcards: 'router.lan'"))
            return nil
        }
    }

    fileprivate mutating func readProxies(_ fields: inout FieldReader) -> [TrustedProxy] {
        (fields.texts("trusted_proxies") ?? []).compactMap { text in
            if text.isUnresolved { return nil }
            if let proxy = TrustedProxy(text.text) { return proxy }
            fields.report(
                ConfigIssue(
                    at: text.position, "'trusted_proxies' takes IP addresses and their ranges, not '\(abbreviated(text.source))'",
                    hint: "write '10.1.2.3', '10.0.0.0/8', 'fd00::/8', or 'unix' for those that connect through a unix socket"))
            return nil
        }
    }
}
