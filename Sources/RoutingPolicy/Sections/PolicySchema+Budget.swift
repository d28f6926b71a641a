import Codecs
import ConfigTree

extension Budget {
    static let section = OptionSection<Budget>(
        "budget", "may be set on a key: what its requests may cost in a period",
        [
            Option(
                "usd", \.dollars, .money, .words("no bound"), help: "US dollars: what the provider reports, or else by the model's 'price'"),
            Option("tokens", \.tokens, .integer(1...1_000_000_000_000), .words("no bound"), help: "prompt and completion tokens together"),
            Option("per", \.period, .word, help: "when it begins anew, in UTC; a week begins on Monday, and 'total' never ends"),
            Option("hard", \.isHard, .bool, help: "whether requests beyond it are refused; false only logs a warning and counts them"),
            Option(
                "unpriced", \.unpriced, .word,
                help: "whether models without a 'price' may serve a key that has a hard budget in US dollars"),
        ])
}

extension Budget {
    /// Whether the budget bounds anything; reports it otherwise.
    static func check(_ budget: Budget, _ fields: inout FieldReader) -> Bool {
        let isBounded = budget.dollars != nil || budget.tokens != nil
        if !isBounded, !["usd", "tokens"].contains(where: fields.isPresent) {
            fields.report(
                ConfigIssue(
                    at: fields.position, "'budget' has neither 'usd' nor 'tokens'", hint: "write 'budget: { usd: 50, per: month }'"))
        }
        return isBounded
    }
}

extension OptionType where Value == Int {
    /// The end of a day, or a point in time, in seconds since 1970.
    static let expiry = OptionType(
        kind: .other("date, such as 2027-01-31"),
        read: { fields, key in
            guard let text = fields.string(key) else { return nil }
            if let time = WireDate.rfc3339(text) { return Int(time) }
            if let midnight = WireDate.rfc3339("\(text)T00:00:00Z") { return Int(midnight) + 86_400 }
            fields.report(
                key, "'\(key)' takes a date, not '\(abbreviated(text))'",
                hint: "write the last day as '2027-01-31' (in UTC), or a time as '2027-01-31T18:00:00+01:00'")
            return nil
        }, written: { WireDate.rfc3339($0) })
}
