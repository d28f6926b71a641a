import Codecs
public import ProviderKit

/// A suite of checks that every provider must pass, whatever its wire format is.
///
/// Run it with requests, and with responses that were recorded from the provider, and expect no violations:
///
/// ```swift
/// let suite = ProviderConformance(
///     provider: MyPlugin.makeProvider(options),
///     responses: [.init("a stream", isStream: true, head: head, bytes: bytes)],
///     requests: [.chat(ChatRequest(messages: [ChatMessage(.user, "Hello")]))])
/// #expect(suite.violations() == [])
/// ```
public struct ProviderConformance {
    /// A successful response as the provider sends it.
    public struct RecordedResponse {
        /// The name of the response in violations.
        public var name: String
        /// Whether it is the response to a streamed call.
        public var isStream: Bool
        /// The head of the response.
        public var head: UpstreamHead
        /// The body of the response.
        public var bytes: [UInt8]

        /// Creates a response.
        public init(_ name: String, isStream: Bool, head: UpstreamHead, bytes: [UInt8]) {
            self.name = name
            self.isStream = isStream
            self.head = head
            self.bytes = bytes
        }
    }

    /// A client's request.
    public struct Request {
        let payload: Payload
        /// The client's body; empty if the request is typed.
        let body: [UInt8]

        /// A body in one of the provider's formats: one JSON object.
        public static func body(_ json: String) -> Request {
            let body = Array(json.utf8)
            return Request(payload: .members((try? JSON.members(of: body.span.bytes)) ?? []), body: body)
        }

        /// A chat request in another format.
        public static func chat(_ request: ChatRequest) -> Request { Request(payload: .chat(request), body: []) }
    }

    let provider: any Provider
    let responses: [RecordedResponse]
    let requests: [Request]

    /// Creates a suite.
    ///
    /// - Parameters:
    ///   - responses: complete, successful responses of the provider.
    ///   - requests: requests that the provider can express.
    public init(provider: any Provider, responses: [RecordedResponse], requests: [Request]) {
        self.provider = provider
        self.responses = responses
        self.requests = requests
    }

    /// The violations of the rules, one sentence for each; empty if the provider passes.
    public func violations() -> [String] {
        var found: [String] = []
        if provider.formats(for: .chat, model: Self.model).isEmpty { found.append("the provider serves no chat") }
        for response in responses {
            for payload in [Payload.members([]), .chat(ChatRequest(messages: []))] {
                found += splitViolations(response, payload) + textViolations(response, payload) + truncationViolations(response, payload)
                decodeGarbage(response, payload)
            }
        }
        for request in requests { found += requestViolations(request) + continuationViolations(request) }
        return found + failureViolations()
    }

    private static let model = "conformance-model"

    func call(_ payload: Payload, isStream: Bool, keepsText: Bool = false, continuation: String? = nil) -> Call {
        let own = provider.formats(for: .chat, model: Self.model).first
        let format = if case .members = payload, let own { own } else { WireFormat("conformance") }
        return Call(
            operation: .chat, model: Self.model, isStream: isStream, format: format, payload: payload, continuation: continuation,
            keepsText: keepsText)
    }

    // MARK: Responses

    /// The same bytes give the same response and the same collected text, wherever they are cut.
    private func splitViolations(_ response: RecordedResponse, _ payload: Payload) -> [String] {
        let keeping = call(payload, isStream: response.isStream, keepsText: true)
        let expected = DecodedResponse(response, cuts: [], provider, keeping)
        var found: [String] = []
        if expected.error != nil || !expected.isComplete {
            found.append("\(response.name): in one read, it is not a complete response: \(expected)")
        }
        let size = response.bytes.count
        var ways: [(String, [Int])] = [("byte by byte", Array(0..<size)), ("two bytes at a time", Array(stride(from: 0, to: size, by: 2)))]
        let step = max(1, size / 2000)
        ways += stride(from: 1, to: size, by: step).map { ("cut at \($0)", [$0]) }
        for (name, cuts) in ways where DecodedResponse(response, cuts: cuts, provider, keeping) != expected {
            found.append("\(response.name): \(name), it decodes differently")
        }
        return found
    }

    /// The text is collected only if the call requires it, then all of it, and that changes nothing else.
    private func textViolations(_ response: RecordedResponse, _ payload: Payload) -> [String] {
        let plain = DecodedResponse(response, cuts: [], provider, call(payload, isStream: response.isStream))
        var keeping = DecodedResponse(response, cuts: [], provider, call(payload, isStream: response.isStream, keepsText: true))
        var found: [String] = []
        if plain.text != nil { found.append("\(response.name): its text is collected although 'keepsText' is false") }
        if !keeping.eventText.isEmpty, keeping.text != keeping.eventText {
            found.append("\(response.name): the collected text is not the text of the response")
        }
        keeping.text = nil
        if keeping != plain { found.append("\(response.name): it decodes differently if its text is collected") }
        return found
    }

    /// A truncated response is complete only if it lacks no content and no finish reason. Usage and end markers may be
    /// missing.
    private func truncationViolations(_ response: RecordedResponse, _ payload: Payload) -> [String] {
        let complete = DecodedResponse(response, cuts: [], provider, call(payload, isStream: response.isStream))
        let step = max(1, response.bytes.count / 2000)
        return stride(from: 0, to: response.bytes.count, by: step).compactMap { size in
            var truncated = response
            truncated.bytes = Array(response.bytes[..<size])
            let decoded = DecodedResponse(truncated, cuts: [], provider, call(payload, isStream: response.isStream))
            if decoded.isComplete, decoded.error == nil, decoded.content != complete.content || decoded.finishes != complete.finishes {
                return "\(response.name): truncated at \(size), it counts as complete"
            }
            if !complete.parts.starts(with: decoded.parts) {
                return "\(response.name): truncated at \(size), it has parts that the complete response doesn't have"
            }
            return nil
        }
    }

    /// Decodes damaged copies of a response, which must not trap.
    private func decodeGarbage(_ response: RecordedResponse, _ payload: Payload) {
        var generator = SplitMix64(state: 42)
        for _ in 0..<200 {
            var damaged = response
            for _ in 0..<(1 + Int(generator.next() % 8)) where !damaged.bytes.isEmpty {
                let place = Int(generator.next() % UInt64(damaged.bytes.count))
                switch generator.next() % 3 {
                case 0: damaged.bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                case 1: damaged.bytes.remove(at: place)
                default: damaged.bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: place)
                }
            }
            _ = DecodedResponse(damaged, cuts: [], provider, call(payload, isStream: response.isStream))
        }
    }

    // MARK: Requests and failures

    func rendered(_ request: UpstreamRequest, _ body: [UInt8]) -> [UInt8] {
        request.body.flatMap { source -> [UInt8] in
            switch source {
            case .bytes(let bytes): bytes
            case .client(let range): range.clamped(to: body.indices) == range ? Array(body[range]) : []
            }
        }
    }

    /// A request is JSON, names the policy's model, and shows no secret in its description.
    private func requestViolations(_ client: Request) -> [String] {
        guard provider.origin != nil else { return [] }
        var found: [String] = []
        for isStream in [true, false] {
            let request: UpstreamRequest
            do { request = try provider.request(for: call(client.payload, isStream: isStream), body: client.body.span.bytes) } catch {
                found.append("a request is refused: \(error)")
                continue
            }
            let sent = rendered(request, client.body)
            do { try JSON.validate(sent.span.bytes) } catch { found.append("the body of a request is not JSON: \(error)") }
            let text = String(decoding: sent, as: UTF8.self) + request.target
            if !text.contains("conformance-model") { found.append("a request doesn't name the policy's model") }
            if !request.target.hasPrefix("/") { found.append("the target '\(request.target)' doesn't begin with '/'") }
            for secret in provider.secrets where "\(request)".contains(secret.reveal()) {
                found.append("the description of a request shows a secret")
            }
        }
        return found
    }

    /// Every failed status has a suitable class, whatever the body is.
    private func failureViolations() -> [String] {
        let bodies: [[UInt8]] = [
            [], Array("<html>busy</html>".utf8), Array(#"{"error":{"message":"no"}}"#.utf8), Array(#"{"error":"#.utf8), [0xFF, 0x00],
        ]
        var found: [String] = []
        for status in 300..<600 {
            for body in bodies {
                let error = provider.failure(head: UpstreamHead(status: status), body: body.span.bytes)
                if error.status != status {
                    found.append("the error for a \(status) has the status \(error.status.map(String.init) ?? "nil")")
                }
                if status >= 500, error.failure == .clientError { found.append("a \(status) counts as the client's mistake") }
                if error.message.isEmpty { found.append("the error for a \(status) has no message") }
            }
        }
        return found
    }
}

/// A small seeded generator, so that a failure can be reproduced. Source: S. Vigna, splitmix64.c.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
