import Codecs
import Testing

struct WireDateTests {
    private static let dates = [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (-86_400, "Wed, 31 Dec 1969 00:00:00 GMT"), (-86_401, "Tue, 30 Dec 1969 23:59:59 GMT"),
        (-2_203_891_200, "Thu, 01 Mar 1900 00:00:00 GMT"), (-62_135_596_800, "Mon, 01 Jan 0001 00:00:00 GMT"),
        (-62_167_219_200, "Sat, 01 Jan 0000 00:00:00 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ]

    @Test(arguments: dates)
    func `an HTTP date has the format of RFC 9110, and reads back as the same second`(seconds: Int, text: String) {
        #expect(WireDate.http(seconds) == text)
        #expect(WireDate.http(text, now: nil) == Double(seconds))
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.007Z"), (-1, "1969-12-31T23:59:59.007Z"), (-86_400, "1969-12-31T00:00:00.007Z"),
        (-62_167_219_200, "0000-01-01T00:00:00.007Z"), (253_402_300_799, "9999-12-31T23:59:59.007Z"),
    ])
    func `an RFC 3339 date is in UTC, before 1970 too`(seconds: Int, text: String) {
        #expect(WireDate.rfc3339(seconds, milliseconds: 7) == text)
    }

    @Test(arguments: [Int.min, -62_167_219_201, 253_402_300_800, .max])
    func `a time that a date can't express becomes the nearest one`(seconds: Int) {
        let nearest = seconds < 0 ? -62_167_219_200 : 253_402_300_799
        #expect(WireDate.http(seconds) == WireDate.http(nearest))
        #expect(WireDate.rfc3339(seconds) == WireDate.rfc3339(nearest))
    }

    @Test
    func `every day of 2,800 years reads back from its date`() {
        for day in -719_528..<292_194 {
            guard CivilDate(daysSince1970: day).daysSince1970 == day else {
                Issue.record("day \(day) became \(CivilDate(daysSince1970: day))")
                return
            }
        }
    }
}
