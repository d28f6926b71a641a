import Codecs
import ProviderKit

extension ProviderConformance {
    /// What is sent.
    static let requestChecks: [Check] = [
        sent("a request is JSON") { body, _, _ in (try? JSON.validate(body.span.bytes)) == nil ? "it isn't" : nil },
        sent("a request names the policy's model") { body, request, _ in
            (String(decoding: body, as: UTF8.self) + request.target).contains(model) ? nil : "it doesn't"
        },
        sent("the target of a request is a path") { _, request, _ in request.target.hasPrefix("/") ? nil : "it is '\(request.target)'" },
        sent("the target of a request is visible ASCII") { _, request, _ in
            request.target.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? nil : "it is '\(request.target)'"
        },
        sent("header fields have names that are tokens, and values on one line") { _, request, _ in
            let wrong = request.fields.first { field in
                let isToken = !field.name.isEmpty && field.name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != ASCII.colon }
                return !isToken || !field.text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == ASCII.tab }
            }
            return wrong.map { "one is '\($0.name)'" }
        },
        sent("the fields of the connection are left to the router") { _, request, _ in
            request.fields.first { connectionFields.contains($0.name.lowercased()) }.map { "'\($0.name)' is among them" }
        },
        sent("a request asks for a body without a content coding") { _, request, _ in
            let coding = request.fields.filter { $0.name.lowercased() == "accept-encoding" }.map(\.text)
            return coding == ["identity"] ? nil : "'accept-encoding' is \(coding)"
        },
        sent("the description of a request shows no secret") { _, request, suite in
            suite.provider.secrets.contains { "\(request)".contains($0.reveal()) } ? "it does" : nil
        },
        sent("no secret is in the target or in the body") { body, request, suite in
            let text = request.target + String(decoding: body, as: UTF8.self)
            return suite.provider.secrets.contains { text.contains($0.reveal()) } ? "one is" : nil
        },
        forRequests("ranges of the client's body lie inside it") { suite, client in
            let request = try? suite.request(client, isStream: true)
            let isInside = request?.body.allSatisfy { source in
                if case .client(let range) = source { range.clamped(to: client.body.indices) == range } else { true }
            }
            return isInside == false ? ["one doesn't"] : []
        },
        forRequests("a request can be made") { suite, client in
            [true, false].compactMap { isStream in
                do throws(ProviderError) { _ = try suite.request(client, isStream: isStream) } catch {
                    return "it is refused: \(error.message)"
                }
                return nil
            }
        },
        forRequests("the same call makes the same request") { suite, client in
            try? suite.bytes(client) == suite.bytes(client) ? [] : ["it doesn't"]
        },
        forRequests("a streamed request differs from one that isn't") { suite, client in
            // In a body that passes through, the client has said it.
            guard client.isTyped, let streamed = try? suite.request(client, isStream: true),
                let other = try? suite.request(client, isStream: false)
            else { return [] }
            let isSame = streamed.target == other.target && suite.rendered(streamed, client.body) == suite.rendered(other, client.body)
            return isSame ? ["it doesn't"] : []
        },
        forRequests("'request_defaults' are added") { suite, client in
            let members = suite.members(client, defaults: [BodyField(key: "x_added", json: Array("17".utf8))])
            return members["x_added"] == "17" ? [] : ["one isn't"]
        },
        forRequests("the client's member wins over 'request_defaults'") { suite, client in
            guard !client.isTyped, let (key, value) = suite.members(client).first(where: { $0.key == "x" }) else { return [] }
            return suite.members(client, defaults: [BodyField(key: key, json: Array("17".utf8))])[key] == value ? [] : ["it doesn't"]
        },
        forRequests("'request_overrides' win over the client's member") { suite, client in
            let members = suite.members(client, overrides: [BodyField(key: "x", json: Array("17".utf8))])
            return members["x"] == "17" ? [] : ["they don't"]
        },
        forRequests("a null in 'request_overrides' removes the client's member") { suite, client in
            suite.members(client, overrides: [BodyField(key: "x", json: Array("null".utf8))])["x"] == nil ? [] : ["it doesn't"]
        },
        forRequests("unknown members pass through") { suite, client in
            guard !client.isTyped, String(decoding: client.body, as: UTF8.self).contains("\"x\":") else { return [] }
            return suite.members(client)["x"] != nil ? [] : ["one doesn't"]
        },
        Check("a request that can't be expressed is of the class 'unsupported', and the error says what can't be") { suite in
            features.compactMap { name, request in
                guard suite.provider.origin != nil else { return nil }
                do throws(ProviderError) {
                    _ = try suite.request(.chat(request), isStream: true)
                } catch  where error.failure != .unsupported || error.message.isEmpty {
                    return "a request with \(name) is of the class \(error.failure): \(error.message)"
                } catch {}
                return nil
            }
        },
        Check("another provider's token is not sent") { suite in
            guard suite.provider.origin != nil else { return [] }
            let token = OpaqueToken("foreign-token", .signature, .provider(tag: "00000000"))
            let reasoning = ChatPart(.reasoning(ChatReasoningText(text: "So.", token: token)))
            let request = ChatRequest(messages: [
                ChatMessage(.user, "Hello"), ChatMessage(.assistant, [reasoning, ChatPart(.text("Hi"))]), ChatMessage(.user, "Why?"),
            ])
            let body = (try? suite.bytes(.chat(request))) ?? []
            return String(decoding: body, as: UTF8.self).contains("foreign-token") ? ["one is"] : []
        },
    ]

    /// Fields that depend on the connection or on the framing. Source: RFC 9110, section 7.6.1; RFC 9112, section 6.
    private static let connectionFields: Set = [
        "host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "content-length", "upgrade", "expect",
    ]

    /// Requests with features that some formats can't express.
    private static let features: [(String, ChatRequest)] = {
        func media(_ kind: ChatMedia.Kind, _ source: ChatMedia.Source) -> ChatRequest {
            ChatRequest(messages: [ChatMessage(.user, [ChatPart(.text("What is it?")), ChatPart(.media(ChatMedia(kind, source)))])])
        }
        func asking(_ change: (inout ChatRequest) -> Void) -> ChatRequest {
            var request = ChatRequest(messages: [ChatMessage(.user, "Hello")])
            change(&request)
            return request
        }
        let kinds: [(String, ChatMedia.Kind, String)] = [
            ("an image", .image, "image/png"), ("audio", .audio, "audio/wav"), ("a video", .video, "video/mp4"),
            ("a document", .file, "application/pdf"),
        ]
        return kinds.flatMap { name, kind, type in
            [
                ("\(name) at a URL", media(kind, .url("https://example.com/x"))),
                ("\(name) in base64", media(kind, .base64("AAAA", mediaType: type))),
                ("\(name) in base64 without a type", media(kind, .base64("AAAA", mediaType: nil))),
                ("\(name) by its id", media(kind, .id("file-1"))),
            ]
        } + [
            ("two choices", asking { $0.choices = 2 }), ("a seed", asking { $0.sampling.seed = 1 }),
            ("a penalty", asking { $0.sampling.frequencyPenalty = 1 }), ("top-k", asking { $0.sampling.topK = 5 }),
            ("stop sequences", asking { $0.stop = ["x", "y", "z", "a", "b"] }), ("JSON", asking { $0.responseFormat = .json }),
            (
                "a schema",
                asking {
                    $0.responseFormat = .schema(name: "s", description: nil, schema: Array(#"{"type":"object"}"#.utf8), isStrict: true)
                }
            ),
            ("reasoning by effort", asking { $0.reasoning = .effort("high") }), ("adaptive reasoning", asking { $0.reasoning = .adaptive }),
            ("a budget of reasoning", asking { $0.reasoning = .budget(tokens: 2000) }), ("metadata", asking { $0.metadata = ["a": "b"] }),
            (
                "a forced tool",
                asking {
                    $0.tools = [ChatTool(name: "f")]
                    $0.toolChoice = .tool("f")
                }
            ),
            (
                "no tool allowed",
                asking {
                    $0.tools = [ChatTool(name: "f")]
                    $0.toolChoice = ChatToolChoice.none
                }
            ),
        ]
    }()

    /// A check of each request.
    private static func forRequests(_ name: String, _ find: @escaping @Sendable (ProviderConformance, Request) -> [String]?) -> Check {
        Check(name) { suite in
            guard suite.provider.origin != nil else { return [] }
            return suite.requests.enumerated().flatMap { index, client in
                (find(suite, client) ?? []).map { "request \(index + 1): \($0)" }
            }
        }
    }

    /// A check of each request as it is sent, streamed or not.
    ///
    /// - Parameter find: says what is wrong; nil if nothing is.
    private static func sent(
        _ name: String, _ find: @escaping @Sendable (_ body: [UInt8], _ request: UpstreamRequest, _ suite: ProviderConformance) -> String?
    ) -> Check {
        forRequests(name) { suite, client in
            [true, false].compactMap { isStream in
                guard let request = try? suite.request(client, isStream: isStream) else { return nil }
                return find(suite.rendered(request, client.body), request, suite)
            }
        }
    }

    func request(
        _ client: Request, isStream: Bool, continuation: String? = nil, defaults: [BodyField] = [], overrides: [BodyField] = []
    ) throws(ProviderError) -> UpstreamRequest {
        let call = call(client.payload, isStream: isStream, continuation: continuation, defaults: defaults, overrides: overrides)
        return try provider.request(for: call, body: client.body.span.bytes)
    }

    /// The body as it is sent.
    func rendered(_ request: UpstreamRequest, _ body: [UInt8]) -> [UInt8] {
        request.body.flatMap { source -> [UInt8] in
            switch source {
            case .bytes(let bytes): bytes
            case .client(let range): Array(body[range.clamped(to: body.indices)])
            }
        }
    }

    private func bytes(_ client: Request) throws(ProviderError) -> [UInt8] {
        rendered(try request(client, isStream: true), client.body)
    }

    /// The members of the body that is sent, as JSON texts.
    private func members(_ client: Request, defaults: [BodyField] = [], overrides: [BodyField] = []) -> [String: String] {
        guard let request = try? request(client, isStream: true, defaults: defaults, overrides: overrides) else { return [:] }
        let body = rendered(request, client.body), bytes = body.span.bytes
        var members: [String: String] = [:]
        for member in (try? JSON.members(of: bytes)) ?? [] {
            members[JSON.string(member.key, in: bytes)] = String(decoding: body[member.value.range], as: UTF8.self)
        }
        return members
    }
}

extension HTTPField {
    /// The value, also if it is a secret.
    var text: String {
        switch value {
        case .plain(let text): text
        case .secret(let secret): secret.reveal()
        }
    }
}
