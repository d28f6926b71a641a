import TestSupport
import Testing

/// A stream of which the upstream sends only the first bytes, then closes or resets the connection. The tests of every
/// format use it.
struct CutStream: Sendable {
    static let contents = isSoak ? (0..<60).map { "token\($0) " } : ["alpha ", "beta ", "gamma"]

    /// What a client has read.
    struct Reading {
        var status: Int
        var text: String
        /// The number of marks of a complete response.
        var ends: Int
        var errors: Int
        /// What else is wrong; nil if nothing is.
        var fault: String?
    }

    private let bytes: [UInt8]

    /// - Parameter events: the complete stream of ``contents``.
    init(_ events: [String], type: String = "text/event-stream") {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nTransfer-Encoding: chunked\r\n\r\n"
        bytes = Array((head + events.map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }.joined() + "0\r\n\r\n").utf8)
    }

    /// The upstream. The prompt says where to cut off and how, so that a retry is cut off at the same place.
    func script(_ prompt: @escaping @Sendable (UpstreamExchange) -> String) -> ScriptedUpstream.Script {
        { exchange in
            let parts = prompt(exchange).split(separator: " ")
            try exchange.send(Array(bytes.prefix(parts.first.flatMap { Int($0) } ?? 0)))
            if parts.last == "RST" { exchange.reset() } else { exchange.close() }
        }
    }

    /// Sends a request for each place, and expects that every response is complete, replaced by the text `instead`, or
    /// marked as broken.
    ///
    /// - Parameters:
    ///   - step: the distance between the places. The soak test takes each one.
    ///   - read: sends a request with a prompt, and reads the response.
    func check(_ router: RouterProcess, step: Int = 3, _ read: @escaping @Sendable (_ prompt: String) throws -> Reading) throws {
        let cuts = stride(from: 0, through: bytes.count, by: isSoak ? 1 : step).flatMap { ["\($0) FIN", "\($0) RST"] }
        let faults = try concurrently(4, within: .seconds(600)) { worker in
            try stride(from: worker, to: cuts.count, by: 4).compactMap { index in
                Self.fault(in: try read(cuts[index])).map { "\(cuts[index]): \($0)" }
            }
        }
        #expect(faults.flatMap { $0 } == [])
        #expect(try router.get("/health").status == 200)
    }

    /// What is wrong with a response; nil if it is acceptable.
    private static func fault(in reading: Reading) -> String? {
        let text = reading.text, fullText = contents.joined()
        if reading.status != 200 { return "status \(reading.status)" }
        if let fault = reading.fault { return fault }
        if text == "instead" { return reading.ends == 1 && reading.errors == 0 ? nil : "the fallback's response is not complete" }
        if !fullText.hasPrefix(text) || text.isEmpty { return "text '\(text)'" }
        switch (reading.ends, reading.errors) {
        case (1, 0): return text == fullText ? nil : "an end after '\(text)'"
        case (0, 1): return nil
        default: return "\(reading.ends) ends and \(reading.errors) errors"
        }
    }
}

/// A stream that its client leaves, at one of several moments.
enum LeftStream {
    /// The upstream, which sends the events of a moment, sometimes half of a further one, and then nothing.
    static func script(
        _ moments: [[String]], half: String, start: @escaping @Sendable (UpstreamExchange) throws -> Void = { try $0.startStream() }
    ) -> ScriptedUpstream.Script {
        { exchange in
            let events = moments[exchange.number % moments.count]
            if !events.isEmpty { try start(exchange) }
            for event in events { try exchange.chunk(event) }
            if exchange.number % 8 > 4 { try exchange.send("ff\r\n\(half)") }
            exchange.hold()
        }
    }

    /// Opens streams and leaves them, and expects that the upstream's connection is closed at once.
    ///
    /// - Parameter endpoint: its name in the access log.
    static func check(
        _ router: RouterProcess, at upstream: ScriptedUpstream, endpoint: String, _ open: () throws -> RawClient
    ) throws {
        _ = try router.get("/health")
        let descriptors = router.figures.descriptors
        let rounds = scaled(16, soak: 400)
        for round in 0..<rounds {
            let client = try open()
            try upstream.waitForRequest(round)
            let left = ContinuousClock.now
            if round % 2 == 0 { client.close() } else { client.reset() }
            #expect(try upstream.waitForPeerClose(round) - left < ceiling(.milliseconds(100)))
        }
        let records = try router.waitForRecords(rounds, endpoint: endpoint)
        #expect(records.map { $0["status"]?.int } == Array(repeating: 499, count: rounds))
        try router.waitForDescriptors(atMost: descriptors)
    }
}

extension StreamedResponse {
    /// What a client with OpenAI's format has read.
    var chatReading: CutStream.Reading {
        CutStream.Reading(status: status, text: content, ends: doneCount, errors: chunks.count { $0["error"] != nil })
    }
}
