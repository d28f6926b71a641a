import Codecs
import Engine
import Foundation
import Testing

@testable import Telemetry

struct AccessLogTests {
    private static let timestamps = [
        (0, "1970-01-01T00:00:00"), (951_782_400, "2000-02-29T00:00:00"), (1_795_246_098, "2026-11-21T07:28:18"),
        (4_107_542_399, "2100-02-28T23:59:59"), (-1, "1969-12-31T23:59:59"), (.min, "0000-01-01T00:00:00"),
    ]

    @Test(arguments: timestamps)
    func `timestamps have the format of RFC 3339`(seconds: Int, text: String) {
        #expect(Timestamp(seconds: seconds, milliseconds: 7).text == text + ".007Z")
    }

    @Test
    func `a line of the access log is valid JSON on one line, whatever the client sent`() throws {
        let record = RequestRecord(
            requestID: "r", endpoint: "other", method: "X\u{1}\n", path: "/a\r\n{\"b\":1}" + String(repeating: "п", count: 5000),
            remoteHost: "::1",
            key: nil, status: 404, bytesReceived: 1, bytesSent: 2, duration: .milliseconds(3))
        var line = JSONWriter()
        record.write(at: Timestamp(seconds: 0, milliseconds: 7), to: &line)
        let bytes = line.bytes
        #expect(!bytes.contains(0x0A))
        let object = try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        #expect(object["time"] as? String == "1970-01-01T00:00:00.007Z")
        #expect(object["status"] as? Int == 404)
        #expect(try #require(object["path"] as? String).utf8.count < 1100)
    }
}
