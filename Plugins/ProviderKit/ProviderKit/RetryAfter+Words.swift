import Codecs

/// The wait in the words of a message.
///
/// | words | wait |
/// |---|---|
/// | `try again in 1.5s`, `retry after 3 minutes, 20 seconds`, `wait about 1,000 seconds` | the sum |
/// | `Retry-After: 7` | seconds, if there is no unit |
/// | `try again in a minute` | one of the unit |
/// | `请等待 15 秒`, `повторите через 30 секунд` | the number with its unit |
/// | `try again in 00:05:00` | hours, minutes and seconds |
/// | `will reset at 2026-11-28 22:11:20`, `retry after 2026-11-28T23:00:00Z` | until then; without an offset in UTC |
/// | `will reset at 1795888860` | until then: seconds since 1970, from 10^12 on milliseconds |
/// | `请 10 秒后重试`, `30秒後に`, `20초 후에` | the number with its unit |
/// | `in 20 Sekunden erneut`, `20 seconds remaining` | the number with its unit |
/// | `réessayez dans 20 secondes`, `espere 20 segundos`, `riprova tra 20 secondi` | the sum |
/// | `您的限额将在 2026-11-28 22:11:20 重置` | until the date before the word |
///
/// Any other date or time of the day says nothing, and neither do numbers of other things.
///
/// Sources: OpenAI's and Groq's 429s ("Please try again in 6m0s."), Gemini's ("Please retry in 31.5s."), Azure's
/// ("retry after 12 seconds"), z.ai's 1308 ("Your limit will reset at 2026-11-28 22:11:20").
extension RetryAfter {
    /// The wait that a message names; nil if it names none.
    ///
    /// - Parameter now: the current time in seconds since 1970; nil if it is unknown. Then a date says nothing.
    static func stated(_ message: String, now: Double?) -> Duration? {
        let text = QuotingText.plain(message)
        for words in introductions {
            var start = 0
            while let found = TextSearch.find(words, in: text, from: start) {
                start = found + words.count
                // The introduction may be the beginning of a word.
                start += text[start...].prefix(while: ASCII.isLetter).count
                if let seconds = wait(introducedBy: text[start...], now: now) { return duration(seconds) }
            }
        }
        return (secondsBeforeUnit(text) ?? secondsUntilDate(before: resetsInChinese, in: message, now: now)).map(duration)
    }

    private static let introductions = [
        "try again", "retry", "wait", "reset", "available", "cooldown", "через", "подождите", "等待", "warten", "erneut", "versuch", "attend",
        "patient", "reessay", "nouveau", "esper", "nuevo", "intent", "aguard", "novamente", "riprov",
    ].map { Array($0.utf8) }

    /// The words between an introduction and the wait.
    private static let fillers: Set = [
        "in", "after", "at", "on", "for", "until", "till", "about", "approximately", "around", "another", "the", "your", "this", "request",
        "requests", "again", "least", "be", "is", "will", "then", "next",
        // German, French, Spanish, Portuguese and Italian
        "sie", "es", "noch", "nach", "etwa", "erneut", "dans", "apres", "pendant", "encore", "environ", "de", "en", "dentro", "unos",
        "nuevo",
        "em", "novamente", "tra", "fra", "dopo", "ancora",
    ]

    /// The words for one, before a unit.
    private static let ones: Set = ["a", "an", "one"]

    /// The fillers that a time of the day follows.
    private static let timeFillers: Set = ["at", "on", "until", "till"]

    private static func wait(introducedBy text: ArraySlice<UInt8>, now: Double?) -> Double? {
        var rest = text, last = ""
        while let byte = rest.first, !ASCII.isDigit(byte) {
            if ASCII.isLetter(byte) {
                last = String(decoding: rest.prefix(while: ASCII.isLetter), as: UTF8.self)
                if ones.contains(last) {
                    let unit = rest.dropFirst(last.utf8.count).drop { $0 == ASCII.space }.prefix(while: ASCII.isLetter)
                    return wordUnits[String(decoding: unit, as: UTF8.self)]
                }
                guard fillers.contains(last) else { return nil }
                rest = rest.dropFirst(last.utf8.count)
            } else {
                guard " -_:=(~".utf8.contains(byte) else { return nil }
                rest = rest.dropFirst()
            }
        }
        if isDate(rest) { return date(rest).flatMap { date in now.map { max(0, date - $0) } } }
        let digits = rest.prefix { ASCII.isDigit($0) || $0 == UInt8(ascii: ":") }
        if digits.contains(UInt8(ascii: ":")) { return timeFillers.contains(last) ? nil : clock(digits) }
        return seconds(in: rest).flatMap { seconds($0, now: now) }
    }

    /// The seconds of a series of numbers with units, at the start of a text: `6m0s`, `1.5 s`, `2 minutes and 3 s`.
    /// A number without a unit is in seconds. nil if the text does not begin with a number, or with a number of other
    /// things.
    private static func seconds(in text: ArraySlice<UInt8>) -> Double? {
        var rest = text, total: Double?
        while true {
            let start = total == nil ? rest : withoutConjunction(rest)
            guard let (number, end) = Self.number(start) else { return total }
            let blanks = start[end...].prefix { $0 == ASCII.space || $0 == UInt8(ascii: "-") }
            let unit = start[blanks.endIndex...].prefix(while: ASCII.isLetter)
            let word = String(decoding: unit, as: UTF8.self)
            if let foreign = foreignUnits.first(where: { unit.isEmpty && start[blanks.endIndex...].starts(with: $0.name.utf8) }) {
                return (total ?? 0) + number * foreign.factor
            }
            guard let factor = wordUnits[word] else {
                // Not `11/28/2026`.
                let isNumber = end == start.endIndex || !"/:".utf8.contains(start[end])
                return total ?? (isNumber && (word.isEmpty || followers.contains(word)) ? number : nil)
            }
            total = (total ?? 0) + number * factor
            rest = text[unit.endIndex...]
        }
    }

    /// Words that follow a number without a unit.
    private static let followers: Set = ["before", "and", "then", "to", "or"]

    private static func withoutConjunction(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let rest = text.drop { $0 == ASCII.space || $0 == ASCII.comma }
        let conjunction = ["and ", "und ", "et ", "y ", "e "].first { rest.starts(with: $0.utf8) }
        return rest.dropFirst(conjunction?.utf8.count ?? 0)
    }

    /// A number such as `12`, `1.5` or `1,000` at the start of a text, and the offset behind it.
    private static func number(_ text: ArraySlice<UInt8>) -> (Double, end: Int)? {
        var digits: [UInt8] = [], index = text.startIndex
        while index < text.endIndex {
            let next = text[(index + 1)...].prefix(while: ASCII.isDigit)
            if ASCII.isDigit(text[index]) {
                digits.append(text[index])
            } else if text[index] == ASCII.comma, !digits.isEmpty, next.count == 3 {
                // A comma between thousands.
            } else if text[index] == ASCII.dot, !digits.contains(ASCII.dot), !next.isEmpty {
                digits.append(ASCII.dot)
            } else {
                break
            }
            index += 1
        }
        return decimal(String(decoding: digits, as: UTF8.self)[...]).map { ($0, index) }
    }

    private static let wordUnits: [String: Double] = {
        let units = [
            (1e-3, "ms millisecond milliseconds"),
            (1, "s sec secs second seconds sek sekunde sekunden seconde secondes segundo segundos secondo secondi"),
            (60, "m min mins minute minutes minuten minuto minutos minuti"),
            (3600, "h hr hrs hour hours stunde stunden heure heures hora horas ora ore"),
            (86_400, "d day days tag tage tagen jour jours dia dias giorno giorni"),
        ]
        return Dictionary(uniqueKeysWithValues: units.flatMap { factor, names in names.split(separator: " ").map { (String($0), factor) } })
    }()

    /// Units in Russian, of which this is the beginning, and in Chinese, Japanese and Korean.
    private static let foreignUnits: [(name: String, factor: Double)] = [
        ("сек", 1), ("мин", 60), ("час", 3600), ("秒", 1), ("分", 60), ("小时", 3600), ("時間", 3600), ("초", 1), ("분", 60), ("시간", 3600),
    ]

    /// The seconds of `hours:minutes:seconds`; nil for anything else, such as `14:30`.
    private static func clock(_ text: ArraySlice<UInt8>) -> Double? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
            decimal(String(decoding: $0, as: UTF8.self)[...])
        }
        guard parts.count == 3, let hours = parts[0], let minutes = parts[1], let seconds = parts[2], minutes < 60, seconds < 60 else {
            return nil
        }
        return hours * 3600 + minutes * 60 + seconds
    }

    /// Whether a text begins with a year, a hyphen and a digit.
    private static func isDate(_ text: ArraySlice<UInt8>) -> Bool {
        let rest = text.dropFirst(4)
        return text.prefix(4).allSatisfy(ASCII.isDigit) && rest.first == UInt8(ascii: "-")
            && rest.dropFirst().first.map(ASCII.isDigit) == true
    }

    /// The time of a date such as `2026-11-28T23:00:00Z`, `2026-11-28 23:00 UTC` or `2026-11-28`, in seconds since
    /// 1970; nil if it can't be read.
    private static func date(_ text: ArraySlice<UInt8>) -> Double? {
        let date = text.prefix(10)
        var rest = text.dropFirst(10)
        for separator in ["t", " at ", " "] where rest.starts(with: separator.utf8) {
            rest = rest.dropFirst(separator.utf8.count)
            break
        }
        var time = Array(rest.prefix { ASCII.isDigit($0) || $0 == UInt8(ascii: ":") })
        rest = rest.dropFirst(time.count)
        if time.isEmpty { time = Array("00:00".utf8) }
        if time.count == 5 { time += ":00".utf8 }
        if rest.first == ASCII.dot { rest = rest.dropFirst().drop(while: ASCII.isDigit) }
        let zone = Self.offset(rest.drop { $0 == ASCII.space }) ?? Array("Z".utf8)
        var stamp = Array(date)
        stamp.append(UInt8(ascii: "T"))
        stamp += time
        stamp += zone
        return WireDate.rfc3339(String(decoding: stamp, as: UTF8.self))
    }

    /// The offset `+08:00` at the start of a text that has it with or without the colon; nil if there is none.
    private static func offset(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
        let digits = text.dropFirst().prefix(5).filter { $0 != UInt8(ascii: ":") }.prefix(while: ASCII.isDigit).prefix(4)
        guard digits.count == 4 else { return nil }
        return [sign] + digits.prefix(2) + [UInt8(ascii: ":")] + digits.suffix(2)
    }

    /// The words that follow the date of a reset: is reset, recovers, is refreshed, try again.
    private static let resetsInChinese = ["重置", "恢复", "刷新", "后重试", "后再试"]

    /// The seconds until the last date before one of the words; nil if there is none, or the current time is unknown.
    private static func secondsUntilDate(before words: [String], in message: String, now: Double?) -> Double? {
        guard let now, words.contains(where: message.contains) else { return nil }
        // 2026年11月29日 22:11:20
        let text = Array(message.replacing("年", with: "-").replacing("月", with: "-").replacing("日", with: "").utf8.prefix(4096))
        let end = words.compactMap { TextSearch.find(Array($0.utf8), in: text) }.max() ?? 0
        let start = (0..<end).last { isDate(text[$0..<end]) && ($0 == 0 || !ASCII.isDigit(text[$0 - 1])) }
        return start.flatMap { date(text[$0..<end]) }.map { max(0, $0 - now) }
    }

    /// The seconds of `10 秒后重试`, `2分钟之后再试` and `20 Sekunden erneut`.
    private static func secondsBeforeUnit(_ text: [UInt8]) -> Double? {
        for (unit, factor) in unitsBehindNumbers {
            guard let end = TextSearch.find(unit, in: text) else { continue }
            let before = text[..<end].reversed().drop { $0 == ASCII.space }.prefix { ASCII.isDigit($0) || $0 == ASCII.dot }
            if let number = decimal(String(decoding: before.reversed(), as: UTF8.self)[...]) { return number * factor }
        }
        return nil
    }

    /// The units in the languages whose word for "after", "again" or "remaining" follows them.
    private static let unitsBehindNumbers: [([UInt8], Double)] = {
        let languages: [(units: [(String, Double)], after: [String])] = [
            ([("秒", 1), ("秒钟", 1), ("分钟", 60), ("小时", 3600), ("天", 86_400)], ["后", "之后", "以后"]),
            ([("秒", 1), ("分", 60), ("時間", 3600)], ["後", "間待", "お待ち", "ほどお待ち"]),
            ([("초", 1), ("분", 60), ("시간", 3600)], [" 후", "후", " 뒤", " 동안"]),
            ([("sekunden", 1), ("minuten", 60), ("stunden", 3600)], [" erneut", " wieder", " warten"]),
            ([("seconds", 1), ("minutes", 60), ("hours", 3600)], [" remaining", " left"]),
        ]
        return languages.flatMap { units, after in
            units.flatMap { unit, factor in after.map { (Array((unit + $0).utf8), factor) } }
        }
    }()
}
