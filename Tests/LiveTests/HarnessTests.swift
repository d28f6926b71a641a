import TestSupport
import Testing

/// Tests of the helpers, because a wrong mock would make every live test worthless.
@Suite struct HarnessTests {
    @Test func `a client reads bodies with a length, in chunks and to the close`() throws {
        let upstream = try ScriptedUpstream(each: [
            { try $0.respond(201, "sized") },
            {
                try $0.startStream()
                try $0.chunk("chun")
                try $0.chunk("ked")
                try $0.finishChunks()
            },
            {
                try $0.send("HTTP/1.1 200 OK\r\n\r\nto the close")
                $0.close()
            },
        ])
        let client = try RawClient(port: upstream.port)
        for (status, body) in [(201, "sized"), (200, "chunked"), (200, "to the close")] {
            client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")
            let response = try client.readResponse()
            #expect(response.status == status)
            #expect(response.text == body)
        }
        #expect(upstream.requests.map(\.body) == Array(repeating: Array("{}".utf8), count: 3))
        #expect(upstream.connections == 1)
    }

    @Test func `a body that is cut off is an error`() throws {
        let upstream = try ScriptedUpstream {
            try $0.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
            $0.close()
        }
        let client = try RawClient(port: upstream.port)
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(throws: TestFailure.self) { try client.readResponse() }
    }

    @Test func `a client distinguishes RST from FIN`() throws {
        let upstream = try ScriptedUpstream(each: [{ $0.reset() }, { $0.close() }])
        for expected in [RawClient.Close.reset, .end] {
            let client = try RawClient(port: upstream.port)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            if expected == .end { client.finishSending() }
            #expect(try client.waitForClose() == expected)
        }
    }

    @Test func `an upstream notices when its peer leaves`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.silent)
        let client = try RawClient(port: upstream.port)
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        try upstream.waitForRequest()
        #expect(upstream.requests[0].closedAt == nil)
        client.close()
        try upstream.waitForPeerClose()
    }

    @Test func `the failure of a wait names the line that waited`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.silent)
        let client = try RawClient(port: upstream.port)
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        do {
            _ = try client.readResponse(within: .milliseconds(20), file: "Somewhere.swift", line: 7)
            Issue.record("a response arrived that nothing has sent")
        } catch let failure as TestFailure {
            #expect(failure.description.hasPrefix("Somewhere.swift:7: waited for a response head"))
        }
    }

    @Test func `a script waits at a gate until the test opens it`() throws {
        let gate = Gate()
        let upstream = try ScriptedUpstream {
            try gate.wait()
            try $0.respond(200, "late")
        }
        let client = try RawClient(port: upstream.port)
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        try upstream.waitForRequest()
        #expect(client.staysSilent(for: .milliseconds(20)))
        gate.open()
        #expect(try client.readResponse().text == "late")
    }

    @Test(arguments: [1, 2, 7, 1000])
    func `events don't depend on how the stream is cut`(size: Int) {
        let stream = Array(": ping\n\ndata: a\r\ndata:b\r\n\r\nid: 7\rdata: c\r\r\n\ndata: cut".utf8)
        var reader = EventReader()
        var items: [EventReader.Item] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            items += reader.read(Array(stream[start..<min(start + size, stream.count)]))
        }
        #expect(items == [.comment(" ping"), .data("a\nb"), .field("id: 7"), .data("c")])
        #expect(reader.isInsideEvent)
    }

    @Test(arguments: ["", "{", "[1,]", "{\"a\":1,\"a\":2}", "nul", "\"\\x\"", "1 2", "\"\u{1}\""])
    func `a text that is not JSON is refused`(text: String) {
        #expect(JSON(text) == nil)
    }

    @Test func `JSON is read with escapes, nesting and numbers`() {
        let json = JSON(#" {"a":[1,-2.5e1,true,null],"b":"\u00e9\ud83d\ude80\n"} "#)
        #expect(json == .object(["a": .array([.number(1), .number(-25), .bool(true), .null]), "b": .string("é🚀\n")]))
        #expect(JSON(JSON.quote("é🚀\n\"\\\u{1}")) == .string("é🚀\n\"\\\u{1}"))
    }

    @Test func `a canary is found even if only a part of it appears`() {
        let canaries = Canaries(["key": "sk-canary-0123456789"])
        #expect(
            canaries.leaks(in: ["log": "… sk-canary-0123456789 …", "body": "nary-0123456789", "clean": "sk-canary"]) == [
                "key in body", "key in log",
            ])
    }
}
