import Codecs
import ProviderKit
import Synchronization
import Testing

@testable import Engine

@Suite("what the router checks of a loaded plugin's values")
struct PluginContractTests {
    /// A provider whose methods return what a test gives it.
    private struct Fake: Provider {
        var error = ProviderError(.upstreamError, message: "none")
        var onDecode: @Sendable (inout ResponseSink) -> Void = { _ in }
        var failsDecoding = false

        let origin: Origin? = nil

        func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] { [] }

        func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest { throw error }

        func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
            if head.status == 201 { throw error }
            return Decoder(fake: self)
        }

        func failure(head: UpstreamHead, body: RawSpan) -> ProviderError { error }

        func models(from body: RawSpan) throws(ProviderError) -> [ListedModel] { throw error }

        func model(_ model: ListedModel, from body: RawSpan) throws(ProviderError) -> ListedModel { throw error }

        struct Decoder: ResponseDecoder {
            let fake: Fake

            func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
                try add(&response)
                return 0
            }

            func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) { try add(&response) }

            private func add(_ response: inout ResponseSink) throws(ProviderError) {
                fake.onDecode(&response)
                if fake.failsDecoding { throw fake.error }
            }
        }
    }

    private let watch = PluginWatch(loops: 1)
    private let call = Call(
        operation: .chat, model: "m", isStream: false, format: WireFormat("any"), payload: .chat(ChatRequest(messages: [])))

    private func watched(_ fake: Fake) -> WatchedProvider {
        WatchedProvider(fake, HookWatch(mark: watch.marks[0], owner: watch.add(plugin: "p", provider: "a"), plugin: "p"))
    }

    /// The errors of all methods that can fail.
    private func errors(_ error: ProviderError) throws -> [ProviderError] {
        let provider = watched(Fake(error: error, failsDecoding: true)), none: [UInt8] = [], body = none.span.bytes
        var sink = ResponseSink(), errors = [provider.failure(head: UpstreamHead(status: 500), body: body)]
        var decoder = try provider.decoder(for: call, head: UpstreamHead(status: 200))
        do { _ = try provider.request(for: call, body: body) } catch { errors.append(error) }
        do { _ = try provider.decoder(for: call, head: UpstreamHead(status: 201)) } catch { errors.append(error) }
        do { _ = try decoder.decode(body, into: &sink) } catch { errors.append(error) }
        do { try decoder.finish(body, into: &sink) } catch { errors.append(error) }
        do { _ = try provider.models(from: body) } catch { errors.append(error) }
        do { _ = try provider.model(ListedModel(id: "m"), from: body) } catch { errors.append(error) }
        return errors
    }

    @Test("a plugin can't say that the client has left")
    func cancelled() throws {
        let errors = try errors(ProviderError(.cancelled, message: "gone"))
        #expect(errors.map(\.failure) == Array(repeating: .upstreamError, count: 7))
        #expect(
            errors.allSatisfy { $0.code == "plugin_misbehaves" && $0.message.contains("the plugin 'p'") && $0.message.contains("gone") })
    }

    @Test(
        "a status that isn't one is unknown",
        arguments: [(0, nil), (-1, nil), (99, nil), (600, nil), (.max, nil), (429, 429), (200, 200)] as [(Int, Int?)])
    func status(status: Int, expected: Int?) throws {
        #expect(try errors(ProviderError(.upstreamError, status: status, message: "")).allSatisfy { $0.status == expected })
    }

    @Test("a wait is at most 30 days, and not negative")
    func waits() throws {
        let cases: [(Duration, Duration)] = [
            (.seconds(Int64.max), .seconds(30 * 86_400)), (.seconds(Int64.min), .zero), (.seconds(60), .seconds(60)),
        ]
        for (wait, expected) in cases {
            #expect(try errors(ProviderError(.rateLimited, message: "", retryAfter: wait)).allSatisfy { $0.retryAfter == expected })
        }
    }

    @Test("the texts of an error are bounded")
    func texts() throws {
        let long = String(repeating: "x", count: 1 << 20)
        for error in try errors(ProviderError(.upstreamError, message: long, code: long, type: long, param: long)) {
            #expect([error.message, error.code, error.type, error.param].allSatisfy { $0?.utf8.count ?? 0 <= 64 << 10 })
        }
    }

    private static let long = String(repeating: "x", count: 33 << 20)

    /// What a decoder may not add to 10 bytes.
    private static let wrong: [(name: String, add: @Sendable (inout ResponseSink) -> Void, problem: String)] = [
        ("chunk", { $0.chunk(PassthroughChunk(json: 0..<11, frame: nil, signals: Signals())) }, "bytes that it was not given"),
        ("frame", { $0.chunk(PassthroughChunk(json: 0..<10, frame: -1..<1, signals: Signals())) }, "bytes that it was not given"),
        ("buffered", { $0.buffered(Int.min..<Int.max, signals: Signals()) }, "bytes that it was not given"),
        ("payload", { $0.payload(10..<11, contentType: "", signals: Signals()) }, "bytes that it was not given"),
        ("bytes", { $0.joined(Signals(contentBytes: .max)) }, "counts 9223372036854775807 bytes"),
        ("ends", { $0.joined(Signals(finishes: .max)) }, "and 9223372036854775807 ends"),
        ("fewer bytes", { $0.joined(Signals(contentBytes: -1)) }, "counts -1 bytes"),
        ("fewer ends", { $0.joined(Signals(finishes: .min)) }, "and -9223372036854775808 ends"),
        ("texts", { sink in for _ in 0..<2 { sink.event(.text(long)) } }, "more than 64 MiB"),
        ("text", { $0.event(.reasoning(long + long)) }, "more than 64 MiB"),
        ("names", { $0.event(.start(id: long, model: long)) }, "more than 64 MiB"),
        ("citation", { $0.event(.citation(ChatCitation(url: long, title: long))) }, "more than 64 MiB"),
        ("stop", { $0.event(.finish(.stop, stopSequence: long + long)) }, "more than 64 MiB"),
        ("joined", { $0.chunk(joined: Array(repeating: 0x20, count: 65 << 20), signals: Signals()) }, "more than 64 MiB"),
        ("vectors", { $0.embeddings(EmbeddingsResponse(vectors: [Array(repeating: 0, count: 17 << 20)])) }, "more than 64 MiB"),
        ("type", { $0.payload(0..<1, contentType: long + long, signals: Signals()) }, "more than 64 MiB"),
        ("parts", { sink in for _ in 0..<1 << 16 + 11 { sink.event(.finish(.stop)) } }, "emits 65547 parts at once"),
    ]

    @Test("a decoder's parts are in the bytes that it got, count what can be, and take bounded memory", arguments: wrong.indices)
    func parts(index: Int) throws {
        let (name, add, problem) = Self.wrong[index], bytes = Array(repeating: UInt8(0), count: 10)
        for failsDecoding in [false, true] {
            var decoder = try watched(Fake(onDecode: add, failsDecoding: failsDecoding)).decoder(for: call, head: UpstreamHead(status: 200))
            for isEnd in [false, true] {
                var sink = ResponseSink()
                let error = #expect(throws: ProviderError.self, "\(name)") {
                    if isEnd {
                        try decoder.finish(bytes.span.bytes, into: &sink)
                    } else {
                        _ = try decoder.decode(bytes.span.bytes, into: &sink)
                    }
                }
                #expect(error?.code == "plugin_misbehaves" && error?.message.contains(problem) == true, "\(name): \(error?.message ?? "")")
                let isEmpty = sink.parts.isEmpty  // without the parts, an issue is short
                #expect(isEmpty)
            }
        }
    }

    @Test("ranges that repeat the decoded bytes without end are too much")
    func repeated() throws {
        let bytes = Array(repeating: UInt8(0), count: 1 << 20)
        let decoders = try [64, 65].map { count in
            try watched(Fake(onDecode: { sink in for _ in 0..<count { sink.buffered(0..<1 << 20, signals: Signals()) } }))
                .decoder(for: call, head: UpstreamHead(status: 200))
        }
        var (few, many, sink) = (decoders[0], decoders[1], ResponseSink())
        #expect(try few.decode(bytes.span.bytes, into: &sink) == 0)
        sink.removeParts()
        #expect(throws: ProviderError.self) { try many.decode(bytes.span.bytes, into: &sink) }
    }

    @Test("a decoder may add a part for each byte that it got, and many more")
    func manyParts() throws {
        let provider = watched(Fake(onDecode: { sink in for _ in 0..<PluginContract.maxParts + 10 { sink.event(.text("")) } }))
        var decoder = try provider.decoder(for: call, head: UpstreamHead(status: 200)), sink = ResponseSink()
        #expect(try decoder.decode(Array(repeating: UInt8(0), count: 10).span.bytes, into: &sink) == 0)
    }

    @Test("an error without a message says so")
    func silent() throws {
        #expect(try errors(ProviderError(.upstreamError, message: "")).allSatisfy { $0.message == "the plugin 'p' gives no reason" })
    }

    @Test("a request has only bytes that the client has sent, and is at most 64 MiB and four times those longer")
    func requests() throws {
        let contract = PluginContract(plugin: "p"), mebibyte = Array(repeating: UInt8(0), count: 1 << 20)
        func check(_ body: [BodySource], target: String = "/", value: String = "") throws(ProviderError) {
            try contract.check(UpstreamRequest(target: target, fields: [HTTPField("x", value)], body: body), clientBytes: 10)
        }
        try check([.client(0..<10), .client(5..<5), .client(10..<10)] + Array(repeating: .bytes(mebibyte), count: 63))
        let huge = String(repeating: "x", count: 65 << 20)
        for range in [0..<11, -1..<1, 11..<11, Int.min..<Int.max] {
            #expect(throws: ProviderError.self, "\(range)") { try check([.client(range)]) }
        }
        #expect(throws: ProviderError.self) { try check(Array(repeating: .bytes(mebibyte), count: 65)) }
        // The same bytes of the client again and again.
        func repeated(_ count: Int) throws(ProviderError) {
            let body = Array(repeating: BodySource.client(0..<1 << 20), count: count)
            try contract.check(UpstreamRequest(target: "/", fields: [], body: body), clientBytes: 1 << 20)
        }
        try repeated(67)
        for count in [69, 1 << 20] { #expect(throws: ProviderError.self) { try repeated(count) } }
        #expect(throws: ProviderError.self) { try check([], target: huge) }
        #expect(throws: ProviderError.self) { try check([], value: huge) }
    }

    @Test("a response from inside the process has a status, finite waits and bounded chunks")
    func localResponses() throws {
        let contract = PluginContract(plugin: "p")
        func check(_ status: Int = 200, _ delay: Duration = .zero, count: Int = 1) throws(ProviderError) {
            let chunk = LocalResponse.Chunk(delay: delay, bytes: Array(repeating: 0, count: count))
            try contract.check(LocalResponse(head: UpstreamHead(status: status), chunks: [chunk]))
        }
        try check(599, .seconds(60), count: 64 << 20)
        for status in [0, -1, 600, .max] { #expect(throws: ProviderError.self, "\(status)") { try check(status) } }
        for delay in [Duration.seconds(Int64.max), .seconds(Int64.min), .nanoseconds(-1)] {
            #expect(throws: ProviderError.self, "\(delay)") { try check(200, delay) }
        }
        #expect(throws: ProviderError.self) { try check(count: 64 << 20 | 1) }
    }

    @Test("what is added after the end of a response is left out, of whatever kind it is")
    func late() {
        var sink = ResponseSink()
        sink.event(.text("a"))
        sink.keep(text: "a")
        sink.usage(Usage(promptTokens: 1, completionTokens: 1))
        sink.complete()
        let (parts, signals) = (sink.parts.count, sink.signals)
        sink.event(.text("b"))
        sink.chunk(PassthroughChunk(json: 0..<1, frame: nil, signals: Signals(contentBytes: 1)))
        sink.joined(Signals(contentBytes: 1))
        sink.buffered(0..<1, signals: Signals(contentBytes: 1))
        sink.payload(0..<1, contentType: "a/b", signals: Signals(contentBytes: 1))
        sink.embeddings(EmbeddingsResponse(vectors: [[1]]))
        sink.count(tokens: 7)
        sink.note(Signals(finishes: 1))
        sink.usage(Usage(promptTokens: 7, completionTokens: 7))
        sink.served(by: .model("other"))
        sink.keep(text: "b")
        #expect(sink.parts.count == parts && sink.signals == signals && sink.notedFinishes == 0)
        #expect(sink.usage?.promptTokens == 1 && sink.servedBy == nil && sink.text == "a")
    }

    @Test("a response lacks its finish as long as it has only other events")
    func unfinished() {
        var sink = ResponseSink()
        #expect(!sink.lacksFinish)
        sink.event(.text("a"))
        sink.removeParts()
        #expect(sink.lacksFinish)
        sink.event(.finish(.length))
        sink.event(.text("b"))
        #expect(!sink.lacksFinish)
        var passed = ResponseSink()
        passed.buffered(0..<1, signals: Signals(contentBytes: 1))
        #expect(!passed.lacksFinish)
    }

    @Test("the name of who made a response is kept if it is one", arguments: [(1 << 10, true), (1 << 10 + 1, false), (1 << 20, false)])
    func names(count: Int, isKept: Bool) {
        for name in [ServedBy.model(String(repeating: "x", count: count)), .host(String(repeating: "x", count: count))] {
            var sink = ResponseSink()
            sink.served(by: name)
            #expect((sink.servedBy == name) == isKept)
        }
    }

    @Test("each call of a plugin is marked for the watchdog, and the mark ends with it")
    func marks() throws {
        let provider = watched(Fake(onDecode: { [watch] _ in #expect(watch.marks[0].running.load(ordering: .relaxed) & 0xFF != 0) }))
        var sink = ResponseSink()
        let none: [UInt8] = []
        var decoder = try provider.decoder(for: call, head: UpstreamHead(status: 200))
        _ = try decoder.decode(none.span.bytes, into: &sink)
        #expect(watch.marks[0].running.load(ordering: .relaxed) == 0)
    }
}

extension ResponseSink {
    fileprivate mutating func joined(_ signals: Signals) { chunk(joined: [0x7B, 0x7D], signals: signals) }
}
