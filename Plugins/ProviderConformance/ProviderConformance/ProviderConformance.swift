import Codecs
public import ProviderKit

/// The suite that every provider passes, whatever it speaks: run it with requests and answers recorded from the provider, and expect no violation.
///
/// ```swift
/// let suite = ProviderConformance(provider: MyPlugin.makeProvider(options), answers: [...], requests: [...])
/// #expect(suite.violations() == [])
/// ```
public struct ProviderConformance {
    /// A success answer as the provider sends it.
    public struct Answer {
        public var name: String
        public var isStream: Bool
        public var head: UpstreamHead
        public var bytes: [UInt8]

        public init(_ name: String, isStream: Bool, head: UpstreamHead, bytes: [UInt8]) {
            self.name = name
            self.isStream = isStream
            self.head = head
            self.bytes = bytes
        }
    }

    let provider: any Provider
    let responses: [Answer]
    /// Bodies of clients' requests: JSON objects.
    let requests: [[UInt8]]

    public init(provider: any Provider, responses: [Answer], requests: [[UInt8]]) {
        self.provider = provider
        self.responses = responses
        self.requests = requests
    }

    /// What breaks a rule, a sentence each.
    public func violations() -> [String] {
        var found: [String] = []
        for response in responses {
            found += splitViolations(response) + textViolations(response) + cutViolations(response) + garbageViolations(response)
        }
        for request in requests { found += requestViolations(request) + continuationViolations(request) }
        return found + failureViolations()
    }

    func call(isStream: Bool, members: [JSONMember] = [], keepsText: Bool = false, continuation: String? = nil) -> Call {
        Call(
            operation: .chat, model: "conformance-model", isStream: isStream, members: members, continuation: continuation,
            keepsText: keepsText)
    }

    // MARK: Answers

    /// Cut anywhere, the same bytes give the same response, and the same text where it is kept.
    private func splitViolations(_ response: Answer) -> [String] {
        let keeping = call(isStream: response.isStream, keepsText: true)
        let whole = Reading(response, cuts: [], provider, keeping)
        var found: [String] = []
        if whole.error != nil || !whole.isComplete { found.append("\(response.name): read whole, it is no complete response: \(whole)") }
        let size = response.bytes.count
        var ways: [(String, [Int])] = [("byte by byte", Array(0..<size)), ("two bytes at a time", Array(stride(from: 0, to: size, by: 2)))]
        let step = max(1, size / 2000)
        ways += stride(from: 1, to: size, by: step).map { ("cut at \($0)", [$0]) }
        for (name, cuts) in ways where Reading(response, cuts: cuts, provider, keeping) != whole {
            found.append("\(response.name): \(name), it reads differently")
        }
        return found
    }

    /// Keeping the text changes nothing else, and it is kept only where it is asked for: all of it, so that what typed events say is that text.
    private func textViolations(_ response: Answer) -> [String] {
        let plain = Reading(response, cuts: [], provider, call(isStream: response.isStream))
        var keeping = Reading(response, cuts: [], provider, call(isStream: response.isStream, keepsText: true))
        var found: [String] = []
        if plain.text != nil { found.append("\(response.name): its text is kept, which nobody asked for") }
        if !keeping.eventText.isEmpty, keeping.text != keeping.eventText {
            found.append("\(response.name): the text that is kept is not the response's")
        }
        keeping.text = nil
        if keeping != plain { found.append("\(response.name): it reads differently where its text is kept") }
        return found
    }

    /// A response that stops early is complete only if no content and no finish of it is missing: usage and end markers may be.
    private func cutViolations(_ response: Answer) -> [String] {
        let whole = Reading(response, cuts: [], provider, call(isStream: response.isStream))
        let step = max(1, response.bytes.count / 2000)
        return stride(from: 0, to: response.bytes.count, by: step).compactMap { size in
            var cut = response
            cut.bytes = Array(response.bytes[..<size])
            let reading = Reading(cut, cuts: [], provider, call(isStream: response.isStream))
            if reading.isComplete, reading.error == nil, reading.content != whole.content || reading.finishes != whole.finishes {
                return "\(response.name): stopped at \(size), it passes for whole"
            }
            if !whole.parts.starts(with: reading.parts) {
                return "\(response.name): stopped at \(size), it says what the non-streamed response doesn't"
            }
            return nil
        }
    }

    /// Bytes that are no response end in an error, never in a trap.
    private func garbageViolations(_ response: Answer) -> [String] {
        var generator = SplitMix64(state: 42)
        for _ in 0..<200 {
            var broken = response
            for _ in 0..<(1 + Int(generator.next() % 8)) where !broken.bytes.isEmpty {
                let place = Int(generator.next() % UInt64(broken.bytes.count))
                switch generator.next() % 3 {
                case 0: broken.bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                case 1: broken.bytes.remove(at: place)
                default: broken.bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: place)
                }
            }
            _ = Reading(broken, cuts: [], provider, call(isStream: response.isStream))
        }
        return []
    }

    // MARK: Requests and failures

    func rendered(_ request: UpstreamRequest, _ body: [UInt8]) -> [UInt8] {
        request.body.flatMap { piece -> [UInt8] in
            switch piece {
            case .bytes(let bytes): bytes
            case .client(let range): range.clamped(to: body.indices) == range ? Array(body[range]) : []
            }
        }
    }

    /// A request holds the policy's model name, is JSON, and shows no secret in what gets logged.
    private func requestViolations(_ body: [UInt8]) -> [String] {
        let members: [JSONMember]
        do { members = try JSON.members(of: body.span.bytes) } catch { return ["a request of the suite is no JSON object: \(error)"] }
        guard provider.origin != nil else { return [] }
        var found: [String] = []
        for isStream in [true, false] {
            let request: UpstreamRequest
            do { request = try provider.request(for: call(isStream: isStream, members: members), body: body.span.bytes) } catch {
                found.append("a request is refused: \(error)")
                continue
            }
            let sent = rendered(request, body)
            do { try JSON.validate(sent.span.bytes) } catch { found.append("a request's body is no JSON: \(error)") }
            let names = String(decoding: sent, as: UTF8.self) + request.target
            if !names.contains("conformance-model") { found.append("a request doesn't name the policy's model") }
            if !request.target.hasPrefix("/") { found.append("the target '\(request.target)' doesn't begin with '/'") }
            for secret in provider.secrets where "\(request)".contains(secret.reveal()) {
                found.append("a request's description shows a secret")
            }
        }
        return found
    }

    /// Every status has a class that fits it, whatever the body says.
    private func failureViolations() -> [String] {
        let bodies: [[UInt8]] = [
            [], Array("<html>busy</html>".utf8), Array(#"{"error":{"message":"no"}}"#.utf8), Array(#"{"error":"#.utf8), [0xFF, 0x00],
        ]
        var found: [String] = []
        for status in 300..<600 {
            for body in bodies {
                let error = provider.failure(head: UpstreamHead(status: status), body: body.span.bytes)
                if error.status != status {
                    found.append("the failure of a \(status) tells the status \(error.status.map(String.init) ?? "none")")
                }
                if status >= 500, error.failure == .clientError { found.append("a \(status) passes for the client's fault") }
                if error.message.isEmpty { found.append("the failure of a \(status) has no words") }
            }
        }
        return found
    }
}

/// A small seeded generator, so that a failure can be had again. Source: S. Vigna, splitmix64.c.
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
