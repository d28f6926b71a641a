import Codecs
import Testing

struct WireDateTests {
    private static let dates = [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
    ]

    @Test(arguments: dates)
    func `an HTTP date has the format of RFC 9110, and reads back as the same second`(seconds: Int, text: String) {
        #expect(WireDate.http(seconds) == text)
        #expect(WireDate.http(text, now: nil) == Double(seconds))
    }

    @Test
    func `every day of 800 years reads back from its date`() {
        for day in 0..<292_194 {
            guard CivilDate(daysSince1970: day).daysSince1970 == day else {
                Issue.record("day \(day) became \(CivilDate(daysSince1970: day))")
                return
            }
        }
    }
}
