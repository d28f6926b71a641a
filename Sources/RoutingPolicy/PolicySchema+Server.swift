import ConfigTree

/// `listen` and `server`.
extension PolicySchema {
    mutating func readListen(_ fields: inout FieldReader) -> [(address: ListenAddress, position: SourcePosition)] {
        guard let texts = fields.texts("listen") else { return [(.tcp(host: "127.0.0.1", port: 8080), fields.position)] }
        var seen: Set<ListenAddress> = []
        if texts.isEmpty, fields.issues.isEmpty {
            fields.report("listen", "'listen' names no address", hint: "write '127.0.0.1:8080', or remove the line")
        }
        return texts.compactMap { text in
            guard let address = ListenAddress(parsing: text.text) else {
                fields.report(
                    ConfigIssue(
                        at: text.position, "'listen' takes an address with its port, not '\(abbreviated(text.source))'",
                        hint: listenHint(text.source)))
                return nil
            }
            guard seen.insert(address).inserted || address.isAnyPort else {
                fields.report(ConfigIssue(at: text.position, "'\(abbreviated(text.source))' is listed twice", hint: "keep one of the two"))
                return nil
            }
            return (address, text.position)
        }
    }

    private func listenHint(_ text: String) -> String {
        let port = text.lastIndex(of: ":").map { text[$0...].dropFirst() } ?? text[...]
        let isNumber = !port.isEmpty && port.allSatisfy { $0.isASCII && $0.isNumber }
        if isNumber, UInt16(port) == nil { return "a port is at most 65535" }
        if isNumber, port.count == text.count {
            return "write '127.0.0.1:\(text)' for this machine alone, or ':\(text)' for every interface"
        }
        return "write '127.0.0.1:8080', '[::1]:8080', ':8080' or 'unix:/run/llm-router.sock'"
    }

    mutating func readServer(_ fields: inout FieldReader) -> ServerSettings {
        section("server", of: &fields) { fields, _ in
            var server = ServerSettings()
            server.keepalive = fields.duration("keepalive") ?? server.keepalive
            server.writeStall = fields.duration("write_stall") ?? server.writeStall
            server.headTimeout = fields.duration("head_timeout") ?? server.headTimeout
            server.bodyTimeout = fields.duration("body_timeout") ?? server.bodyTimeout
            server.maxBodyBytes = fields.size("max_body", in: (1 << 10)...(1 << 30)) ?? server.maxBodyBytes
            server.maxBufferedBytes = fields.size("max_buffered", in: (1 << 20)...(1 << 40)) ?? server.maxBufferedBytes
            server.drain = fields.duration("drain", in: .zero ... .seconds(24 * 3600)) ?? server.drain
            server.preStop = fields.duration("pre_stop", in: .zero ... .seconds(3600)) ?? server.preStop
            return server
        } ?? ServerSettings()
    }

    /// Whoever reaches an address of this machine from outside must show a key.
    mutating func checkExposure(_ listen: [(address: ListenAddress, position: SourcePosition)]) {
        for (address, position) in listen where !address.isLocal {
            let hint = "add 'keys:', or listen on 127.0.0.1"
            report(ConfigIssue(at: position, "this address is open to other machines, and there are no keys", hint: hint))
        }
    }
}
