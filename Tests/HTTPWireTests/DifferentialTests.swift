import Engine
import Foundation
import NIOCore
import Testing

@testable import HTTPWire

/// Compares the parsers with llhttp: it must accept every message that they accept, with the same start line, fields,
/// body and end.
struct DifferentialTests {
    /// How the parsed requests differ; nil if they don't.
    private func requestDifference(_ bytes: [UInt8]) -> String? {
        let ours = parseRequests(bytes), theirs = LLHTTPMessages.requests(bytes)
        for (index, message) in ours.messages.enumerated() {
            guard index < theirs.messages.count, theirs.messages[index].isComplete else {
                // llhttp accepts a fixed list of methods; RFC 9110 allows any token.
                return Self.llhttpMethods.contains(String(message.start.prefix { $0 != " " }))
                    ? "refused by llhttp: \(message.start)" : nil
            }
            let other = theirs.messages[index]
            if message.fields != other.fields { return "fields \(message.fields), \(other.fields)" }
            if message.body != String(buffer: other.body) { return "body \(message.body), \(String(buffer: other.body))" }
            if !Self.isSameStart(message.start, other.start) { return "start \(message.start), \(other.start)" }
        }
        return nil
    }

    /// llhttp returns an absolute target unchanged, this parser only its path and query.
    private static func isSameStart(_ ours: String, _ theirs: String) -> Bool {
        if ours == theirs { return true }
        let mine = ours.split(separator: " "), other = theirs.split(separator: " ")
        guard mine.count == 3, other.count == 3, mine[0] == other[0], mine[2] == other[2], other[1].lowercased().hasPrefix("http") else {
            return false
        }
        return other[1].hasSuffix(mine[1]) || mine[1] == "/" || other[1].hasSuffix(mine[1].dropFirst())
    }

    private static let llhttpMethods: Set<String> = [
        "DELETE", "GET", "HEAD", "POST", "PUT", "OPTIONS", "COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "SEARCH", "UNLOCK",
        "PATCH", "PURGE", "M-SEARCH", "NOTIFY",
    ]

    private func responseDifference(_ bytes: [UInt8]) -> String? {
        var parser = ResponseParser()
        var input = ByteBuffer(bytes: bytes)
        guard let response = try? parser.next(&input, isHeadRequest: false), response.status >= 200 else { return nil }
        let theirs = LLHTTPMessages.response(bytes)
        guard let other = theirs.messages.first(where: { !$0.start.hasPrefix("1") }) else {
            return "refused by llhttp: \(response.status)"
        }
        var fields: [String] = []
        response.fields.forEach(prefix: "") { fields.append("\($0): \($1)") }
        guard "\(response.status)" == other.start, fields == other.fields else {
            return "head \(response.status) \(fields), \(other.start) \(other.fields)"
        }
        var reader = BodyReader(response.body), body = ByteBuffer()
        do throws(WireFault) {
            while true {
                switch try reader.next(&input) {
                case .bytes(var bytes): body.writeBuffer(&bytes)
                case .more: return body == other.body ? nil : "partial body \(body), \(other.body)"
                case .end: return body == other.body && other.isComplete ? nil : "body \(body), \(other.body) \(other.isComplete)"
                }
            }
        } catch {
            return nil
        }
    }

    static let requestSeeds =
        RequestParserTests.accepted.map(\.0) + RequestParserTests.refusedHeads.map(\.0) + [
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                + "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nGET "
                + "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "POST /v1/chat/completions HTTP/1.1\r\nHost: router:8080\r\nAuthorization: Bearer sk\r\n"
                + "Content-Type: application/json\r\nContent-Length: 2\r\nAccept: */*\r\n\r\n{}",
            "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
                + "5;ext=1\r\nhello\r\n0;last\r\nX: y\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\naGET / HTTP/1.0\r\n\r\n",
        ]

    static let responseSeeds = [
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata: \r\n2;x=y\r\n\n\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello", "HTTP/1.0 200 OK\r\n\r\nuntil close",
        "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    ]

    @Test("llhttp agrees with all seeds")
    func seeds() {
        for seed in Self.requestSeeds { #expect(requestDifference(Array(seed.utf8)) == nil, "\(seed.debugDescription)") }
        for seed in Self.responseSeeds { #expect(responseDifference(Array(seed.utf8)) == nil, "\(seed.debugDescription)") }
    }

    @Test("llhttp agrees with mutated requests and responses", arguments: [UInt64](1...8))
    func mutations(_ seed: UInt64) {
        var mutator = Mutator(seed: seed)
        for _ in 0..<600 {
            let request = mutator.mutate(Self.requestSeeds), response = mutator.mutate(Self.responseSeeds)
            #expect(requestDifference(request) == nil, "seed \(seed): \(String(decoding: request, as: UTF8.self).debugDescription)")
            #expect(responseDifference(response) == nil, "seed \(seed): \(String(decoding: response, as: UTF8.self).debugDescription)")
        }
    }

    @Test("a mutated stream is parsed the same, wherever it is split", arguments: [UInt64](1...4))
    func cuts(_ seed: UInt64) {
        var mutator = Mutator(seed: seed)
        for _ in 0..<300 {
            let request = mutator.mutate(Self.requestSeeds)
            let whole = parseRequests(request)
            #expect(parseRequests(request, cuts: Array(0...request.count)) == whole)
            let cuts = (0..<3).map { _ in mutator.number(below: request.count + 1) }.sorted()
            #expect(parseRequests(request, cuts: cuts) == whole)
        }
    }

    @Test(
        "requests that llhttp's strict test cases reject are not accepted",
        .enabled(if: ProcessInfo.processInfo.environment["CORPORA"] != nil))
    func corpus() throws {
        let folder = try #require(ProcessInfo.processInfo.environment["CORPORA"])
        // Rules specific to llhttp: data after a closing message, unlisted methods and protocols, a bare LF.
        let specificErrors: Set<Int> = [5, 6, 8, 25]
        var cases = 0
        for line in try String(contentsOfFile: "\(folder)/http/llhttp.jsonl", encoding: .utf8).split(separator: "\n") {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            guard object["mode"] as? String == "strict", let encoded = object["bytes"] as? String, let data = Data(base64Encoded: encoded)
            else { continue }
            let bytes = [UInt8](data), title = "\(object["file"] ?? "") \(object["line"] ?? "")"
            let codes = Set(object["error_codes"] as? [Int] ?? [])
            let isError = object["error"] as? Bool == true && codes.isDisjoint(with: specificErrors)
            cases += 1
            if object["kind"] as? String == "request" {
                #expect(requestDifference(bytes) == nil, "\(title)")
                let complete = (object["expected"] as? String ?? "").split(separator: "\n").count { $0.hasSuffix("message complete") }
                if isError { #expect(parseRequests(bytes).messages.count <= complete, "\(title)") }
            } else {
                #expect(responseDifference(bytes) == nil, "\(title)")
            }
        }
        #expect(cases > 150)
    }
}

/// Damages messages: deletes, inserts and replaces bytes and swaps lines. The same seed gives the same messages.
struct Mutator {
    private static let meaningful: [UInt8] = [13, 10, 0, 58, 9, 32, 44, 59, 48, 255]
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func number(below bound: Int) -> Int {
        Int.random(in: 0..<max(bound, 1), using: &random)
    }

    mutating func mutate(_ seeds: [String]) -> [UInt8] {
        var bytes = Array(seeds[number(below: seeds.count)].utf8)
        for _ in 0...number(below: 3) {
            let index = number(below: bytes.count)
            let byte = number(below: 4) == 0 ? UInt8(number(below: 256)) : Self.meaningful[number(below: Self.meaningful.count)]
            switch number(below: 5) {
            case 0: bytes.remove(at: index)
            case 1: bytes.insert(byte, at: index)
            case 2: bytes[index] = byte
            case 3: bytes = swapLines(bytes)
            default: bytes.insert(contentsOf: Array(seeds[number(below: seeds.count)].utf8), at: bytes.count)
            }
            if bytes.isEmpty { return bytes }
        }
        return bytes
    }

    private mutating func swapLines(_ bytes: [UInt8]) -> [UInt8] {
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        lines.swapAt(number(below: lines.count), number(below: lines.count))
        return Array(lines.joined(separator: [10]))
    }
}
