import Codecs
import Engine
import Gateway
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// Sends the request of a test to the router's own server.
enum LiveCall {
    /// - Parameter port: the server's port on 127.0.0.1.
    static func send(
        _ test: RoutingExpectation, secret: String?, toPort port: Int, on eventLoop: any EventLoop
    ) async throws -> LiveResponse {
        let head = UpstreamRequestHead(
            method: "POST", target: test.operation.path, authority: "127.0.0.1",
            fields: (secret.map { [("authorization", "Bearer \($0)")] } ?? []) + test.headers.map { ($0.name, $0.value) })
        // The limits of the policy under test end the request.
        let timeouts = UpstreamTimeouts(
            queue: .seconds(10), connect: .seconds(10), write: .seconds(10), firstByte: nil, total: .distantFuture)
        let response = try await SingleRequest.send(
            head, body: test.body, to: UpstreamEndpoint(host: "127.0.0.1", port: port, isTLS: false), timeouts: timeouts, on: eventLoop)
        return LiveResponse(status: response.status, body: response.body)
    }
}

/// A response of the router's own server, streamed or non-streamed.
struct LiveResponse {
    let status: Int
    fileprivate let body: [UInt8]

    /// The attempts and the result of the request, read from the response's `_router`.
    func routingResult(in snapshot: Snapshot) -> ExpectationTrial.RoutingResult {
        var result = ExpectationTrial.RoutingResult(attempts: [], isComplete: false)
        var message = ""
        for document in documents {
            guard let router = document.value("_router") else {
                if let error = document.value("error") { message = error.text("message") ?? message }
                continue
            }
            // Each later document repeats all attempts, so the last one counts.
            result.attempts = router.elements("errors").compactMap { model($0, snapshot) }
            result.chosen = nil
            if let error = document.value("error") {
                message = error.text("message") ?? message
            } else if let chosen = model(router, snapshot) {
                result.attempts.append(chosen)
                result.chosen = chosen
            }
        }
        if result.chosen == nil { result.refusal = RequestRefusal(status: status, code: nil, message: message) }
        return result
    }

    private func model(_ record: Document, _ snapshot: Snapshot) -> Int? {
        guard let provider = record.text("provider"), let name = record.text("model_name") else { return nil }
        return snapshot.models(expected: "\(provider)/\(name)").first
    }

    /// The JSON object of a non-streamed response, or those of a stream's events.
    private var documents: [Document] {
        if body.first == UInt8(ascii: "{") { return [Document(bytes: body)] }
        let prefix = Array("data: {".utf8)
        return body.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).filter { $0.starts(with: prefix) }.map {
            Document(bytes: Array($0.dropFirst(prefix.count - 1)))
        }
    }
}

/// A JSON object with its own copy of the bytes.
private struct Document {
    var bytes: [UInt8]

    func value(_ name: StaticString) -> Document? {
        guard let value = member(name), value.kind == .object else { return nil }
        return Document(bytes: Array(bytes[value.range]))
    }

    func text(_ name: StaticString) -> String? {
        guard let value = member(name), value.kind == .string else { return nil }
        return JSON.string(value.range, in: bytes.span.bytes)
    }

    /// The elements of an array, which are objects.
    func elements(_ name: StaticString) -> [Document] {
        guard let value = member(name), value.kind == .array else { return [] }
        var cursor = JSONCursor(at: value.range.lowerBound)
        var found: [Document] = []
        do throws(JSONError) {
            try cursor.enterArray(bytes.span.bytes)
            while try cursor.nextElement(bytes.span.bytes) {
                found.append(Document(bytes: Array(bytes[try cursor.skipValue(bytes.span.bytes).range])))
            }
        } catch {
            return found
        }
        return found
    }

    private func member(_ name: StaticString) -> JSONValue? {
        (try? JSON.members(of: bytes.span.bytes))?.last { JSON.isKey($0.key, name, in: bytes.span.bytes) }?.value
    }
}
