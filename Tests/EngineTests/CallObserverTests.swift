import ConfigTree
import HTTPWire
import Logging
import NIOCore
import NIOPosix
import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

@Suite("observers of calls")
struct CallObserverTests {
    @Test("an observer sees every step of a stream, a fallback and a repair included, and then the request's end")
    func stream() async throws {
        let seen = try await observe(
            "models: { a: { provider: broken }, b: { provider: repaired } }\nroutes: { auto: { try: [a], fallback: [b] } }", isStream: true)
        #expect(
            seen == [
                "began auto", "attempt at broken/a", "failed broken/a upstream_error", "attempt at repaired/b",
                "again repaired/b without it", "content from repaired/b", "succeeded repaired/b", "ended repaired/b after 1 failure",
                "request 200",
            ])
    }

    @Test("a non-streamed response has no first content, and a call that fails says why")
    func buffered() async throws {
        let models = "models: { a: { provider: broken }, b: { provider: repaired } }\n"
        #expect(
            try await observe(models + "routes: { auto: { try: [b] } }", isStream: false) == [
                "began auto", "attempt at repaired/b", "again repaired/b without it", "succeeded repaired/b",
                "ended repaired/b after 0 failures",
                "request 200",
            ])
        #expect(
            try await observe(models + "routes: { auto: { try: [a] } }", isStream: false) == [
                "began auto", "attempt at broken/a", "failed broken/a upstream_error", "failed 502 after 1 failure", "request 502",
            ])
    }

    /// Runs one call to its end, and returns what its observer has seen.
    private func observe(_ policy: String, isStream: Bool) async throws -> [String] {
        let report = PolicyLoader(
            plugins: [WordPlugin.self],
            source: MemorySource(
                text: """
                    version: 1
                    defaults: { retry: { retries: 0 } }
                    providers: { broken: { plugin: word, is_broken: true }, repaired: { plugin: word } }
                    \(policy)
                    """)
        ).load(path: "routes.yaml")
        let snapshot = Snapshot.provision(try #require(report.policy, "\(report.rendered())"), over: nil, at: 1)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let engine = Engine(
            eventLoops: [eventLoop], snapshot: snapshot, transport: UpstreamTransport(tls: TLSContextProvider(settings: TLSSettings())),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, observer: { Witness() })
        let seen = eventLoop.makePromise(of: [String].self)
        eventLoop.execute {
            do {
                let loop = engine.loop(of: eventLoop), needs = RequestNeeds(), now = NIODeadline.now()
                let request = CallRequest(
                    .init(.chat, WordProvider.format) { _ throws(ProviderError) in .members([]) }, isStream: isStream,
                    body: RequestBody(ByteBuffer()), payload: .members([]), arrivedAt: now, readAt: now)
                RunningCall(
                    loop: loop, snapshot: snapshot, plan: try loop.plan(PlanRequest(needs: needs), in: snapshot), request: request,
                    needs: needs, writer: Client(loop, seen)
                ).start()
            } catch {
                seen.fail(error)
            }
        }
        return try await seen.futureResult.get()
    }
}

/// Writes down what it sees.
private final class Witness: CallObserver {
    var seen: [String] = []

    func began(_ call: RunningCall) { seen.append("began \(call.record.route ?? "")") }
    func attemptBegan(_ attempt: AttemptView) { seen.append("attempt at \(name(attempt))") }
    func contentBegan(_ attempt: AttemptView) { seen.append("content from \(name(attempt))") }
    func repeated(_ attempt: AttemptView, with repair: Repair?) { seen.append("again \(name(attempt)) \(repair?.name ?? "unchanged")") }

    func attemptEnded(_ attempt: AttemptView, _ failure: FailedAttempt?) {
        seen.append(failure.map { "failed \(name(attempt)) \($0.reason)" } ?? "succeeded \(name(attempt))")
    }

    func ended(_ call: RunningCall, _ failure: CallFailure?) {
        let record = call.record, count = record.failures.count
        let outcome = failure.map { "failed \($0.status)" } ?? "ended \(record.provider ?? "")/\(record.model ?? "")"
        seen.append("\(outcome) after \(count) failure\(count == 1 ? "" : "s")")
    }

    func ended(_ request: borrowing RequestRecord) { seen.append("request \(request.status)") }

    private func name(_ attempt: AttemptView) -> String {
        let name = attempt.call.snapshot.metricName(ofModel: attempt.model)
        return "\(name.provider)/\(name.model)"
    }
}

/// A client's side that sends nothing, and reports the request's end as the gateway does.
private final class Client: ResponseWriter {
    private let loop: EngineLoop
    private let seen: EventLoopPromise<[String]>
    let stagedBytes = 0

    init(_ loop: EngineLoop, _ seen: EventLoopPromise<[String]>) { (self.loop, self.seen) = (loop, seen) }

    func begin(_ record: CallRecord) {}
    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {}
    func commit(_ record: CallRecord) {}
    func resume(_ record: CallRecord) {}
    func flush() {}
    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool { true }
    func finish(_ record: CallRecord) { end(200, record) }
    func fail(_ failure: CallFailure, _ record: CallRecord) { end(failure.status, record) }

    private func end(_ status: Int, _ record: CallRecord) {
        loop.observer?.ended(
            RequestRecord(
                requestID: "r", endpoint: "test", method: nil, path: nil, remoteHost: nil, key: nil, status: status, bytesReceived: 0,
                bytesSent: 0, call: record, duration: .zero))
        seen.succeed((loop.observer as? Witness)?.seen ?? [])
    }
}

/// A plugin whose providers respond from inside the process with one word, after they have refused the request once; a
/// broken one fails always.
private enum WordPlugin: ProviderPlugin {
    static let name = "word"

    struct Options: Sendable, Equatable {
        var isBroken: Bool
    }

    static func readOptions(_ fields: inout FieldReader) -> Options? { Options(isBroken: fields.bool("is_broken") ?? false) }
    static func makeProvider(_ options: Options) -> any Provider { WordProvider(isBroken: options.isBroken) }
}

private struct WordProvider: Provider {
    static let format = WireFormat("word")
    private static let repair = Repair("without it", isLasting: false)

    let isBroken: Bool

    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] { [Self.format] }

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(target: "/", fields: [], body: [])
    }

    func response(to call: Call, body: RawSpan) -> LocalResponse {
        let status = isBroken ? 500 : call.repairs.isEmpty ? 400 : 200
        return LocalResponse(head: UpstreamHead(status: status), chunks: [LocalResponse.Chunk(bytes: Array("word".utf8))])
    }

    func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        error.status == 400 ? Self.repair : nil
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder { Decoder() }

    private struct Decoder: ResponseDecoder {
        func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
            let signals = Signals(contentBytes: bytes.byteCount, finishes: 1)
            response.chunk(PassthroughChunk(json: 0..<bytes.byteCount, frame: nil, signals: signals))
            response.complete()
            return bytes.byteCount
        }

        func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {}
    }
}
