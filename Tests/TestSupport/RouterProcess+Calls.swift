import Glibc

/// The calls that tests make most.
extension RouterProcess {
    package static func chatBody(_ model: String, _ text: String = "Hello", stream: Bool = false, extra: String = "") -> String {
        #"{"model":\#(JSON.quote(model)),"messages":[{"role":"user","content":\#(JSON.quote(text))}]\#(stream ? #","stream":true"# : "")\#(extra.isEmpty ? "" : "," + extra)}"#
    }

    /// A request's bytes; `path` goes out as it is.
    package static func request(_ method: String, _ path: String, body: String? = nil, key: String? = nil, fields: [String] = []) -> String
    {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1"]
        if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        if let key { lines.append("Authorization: Bearer \(key)") }
        return (lines + fields).joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }

    /// One exchange on a connection of its own.
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

    /// Sends a streamed chat; nothing is awaited.
    package func openStream(
        _ model: String, _ text: String = "Hello", extra: String = "", key: String? = nil, receiveBuffer: Int32? = nil
    ) throws -> RawClient {
        let client = try client(receiveBuffer: receiveBuffer)
        client.send(Self.request("POST", "/v1/chat/completions", body: Self.chatBody(model, text, stream: true, extra: extra), key: key))
        return client
    }

    /// A streamed chat to its end.
    package func stream(
        _ model: String, _ text: String = "Hello", extra: String = "", key: String? = nil, within limit: Duration = .seconds(10),
        file: StaticString = #fileID, line: Int = #line
    ) throws -> StreamedResponse {
        try openStream(model, text, extra: extra, key: key).readStream(within: limit, file: file, line: line)
    }

    /// SIGHUP, and the wait until the file's policy serves. The file must differ from the running policy.
    package func reload(_ routes: String, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line) throws {
        let before = try policy(file, line)
        try rewrite(routes)
        process.signal(SIGHUP)
        try eventually("the new policy serves; standard error:\n\(standardError)", within: limit, file: file, line: line) {
            let now = try policy(file, line)
            return now["digest"] != before["digest"] && now["last_reload"]?.string == "ok"
        }
    }

    /// SIGHUP with a file that must be refused.
    package func reloadRefused(
        _ routes: String, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws {
        try rewrite(routes)
        process.signal(SIGHUP)
        try eventually("the file is refused", within: limit, file: file, line: line) {
            try policy(file, line)["last_reload"]?.string != "ok"
        }
    }

    /// `/health`'s account of the policy.
    package func policy(_ file: StaticString = #fileID, _ line: Int = #line) throws -> JSON {
        guard let config = try get("/health", file: file, line: line).json?["config"] else {
            throw TestFailure("/health holds no 'config'", CallSite(file, line))
        }
        return config
    }

    /// The sum over all samples of a family whose labels hold every given text, such as `reason="connect"`.
    package func metric(
        _ name: String, _ labels: String..., key: String? = nil, file: StaticString = #fileID, line: Int = #line
    ) throws -> Double {
        try get("/metrics", key: key, file: file, line: line).text.split(separator: "\n").reduce(0) { sum, sample in
            guard sample.hasPrefix(name), let mark = sample.dropFirst(name.count).first, mark == " " || mark == "{" else { return sum }
            guard labels.allSatisfy({ sample.contains($0) }), let value = sample.split(separator: " ").last else { return sum }
            return sum + (Double(value) ?? 0)
        }
    }

    /// Calls under way and open files are back where they were.
    package func waitForRest(
        descriptors: Int, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws {
        try eventually("descriptors are back at \(descriptors), now \(figures.descriptors)", within: limit, file: file, line: line) {
            figures.descriptors <= descriptors
        }
    }
}
