import Glibc

/// The requests that most tests send.
extension RouterProcess {
    /// - Parameter extra: more members of the body, as JSON without braces.
    package static func chatBody(_ model: String, _ text: String = "Hello", stream: Bool = false, extra: String = "") -> String {
        let members = (stream ? #","stream":true"# : "") + (extra.isEmpty ? "" : "," + extra)
        return #"{"model":\#(JSON.quote(model)),"messages":[{"role":"user","content":\#(JSON.quote(text))}]\#(members)}"#
    }

    /// Returns a request as text; `path` is sent as it is.
    package static func request(_ method: String, _ path: String, body: String? = nil, key: String? = nil, fields: [String] = []) -> String
    {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1"]
        if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        if let key { lines.append("Authorization: Bearer \(key)") }
        return (lines + fields).joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }

    /// Sends one request on a new connection and reads the response.
    package func call(
        _ method: String, _ path: String, body: String? = nil, key: String? = nil, fields: [String] = [],
        within limit: Duration = .seconds(10),
        file: StaticString = #fileID, line: Int = #line
    ) throws -> Response {
        let client = try client(file: file, line: line)
        client.send(Self.request(method, path, body: body, key: key, fields: fields))
        return try client.readResponse(within: limit, file: file, line: line)
    }

    package func get(_ path: String, key: String? = nil, file: StaticString = #fileID, line: Int = #line) throws -> Response {
        try call("GET", path, key: key, file: file, line: line)
    }

    package func chat(
        _ model: String, _ text: String = "Hello", extra: String = "", key: String? = nil, fields: [String] = [],
        within limit: Duration = .seconds(10),
        file: StaticString = #fileID, line: Int = #line
    ) throws -> Response {
        try call(
            "POST", "/v1/chat/completions", body: Self.chatBody(model, text, extra: extra), key: key, fields: fields, within: limit,
            file: file, line: line)
    }

    /// Sends a streamed chat request and does not wait for the response.
    package func openStream(
        _ model: String, _ text: String = "Hello", extra: String = "", key: String? = nil, receiveBuffer: Int32? = nil
    ) throws -> RawClient {
        let client = try client(receiveBuffer: receiveBuffer)
        client.send(Self.request("POST", "/v1/chat/completions", body: Self.chatBody(model, text, stream: true, extra: extra), key: key))
        return client
    }

    /// Sends a streamed chat request and reads the response to its end.
    package func stream(
        _ model: String, _ text: String = "Hello", extra: String = "", key: String? = nil, within limit: Duration = .seconds(10),
        file: StaticString = #fileID, line: Int = #line
    ) throws -> StreamedResponse {
        try openStream(model, text, extra: extra, key: key).readStream(within: limit, file: file, line: line)
    }

    /// Writes the policy file, sends SIGHUP and waits until the new policy is in service. It must differ from the
    /// running policy.
    package func reload(_ routes: String, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line) throws {
        let before = try policy(file, line)
        try rewrite(routes)
        process.signal(SIGHUP)
        try eventually("the new policy is in service; standard error:\n\(standardError)", within: limit, file: file, line: line) {
            let now = try policy(file, line)
            return now["digest"] != before["digest"] && now["last_reload"]?.string == "ok"
        }
    }

    /// Writes a bad policy file, sends SIGHUP and waits until the reload is reported as failed.
    package func reloadRefused(
        _ routes: String, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws {
        try rewrite(routes)
        process.signal(SIGHUP)
        try eventually("the file is refused", within: limit, file: file, line: line) {
            try policy(file, line)["last_reload"]?.string != "ok"
        }
    }

    /// The member `config` of `/health`: digest, load time and last reload.
    package func policy(_ file: StaticString = #fileID, _ line: Int = #line) throws -> JSON {
        guard let config = try get("/health", file: file, line: line).json?["config"] else {
            throw TestFailure("/health has no 'config'", CallSite(file, line))
        }
        return config
    }

    /// Returns the sum of all samples of a metric whose labels contain every given text, such as `reason="connect"`.
    package func metric(
        _ name: String, _ labels: String..., key: String? = nil, file: StaticString = #fileID, line: Int = #line
    ) throws -> Double {
        try get("/metrics", key: key, file: file, line: line).text.split(separator: "\n").reduce(0) { sum, sample in
            guard sample.hasPrefix(name), let mark = sample.dropFirst(name.count).first, mark == " " || mark == "{" else { return sum }
            guard labels.allSatisfy({ sample.contains($0) }), let value = sample.split(separator: " ").last else { return sum }
            return sum + (Double(value) ?? 0)
        }
    }

    /// Waits until the router has at most `count` open descriptors, as before the test's requests.
    package func waitForDescriptors(
        atMost count: Int, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws {
        try eventually("at most \(count) open descriptors", within: limit, file: file, line: line) { figures.descriptors <= count }
    }
}
