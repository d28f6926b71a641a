internal import Codecs
internal import ConfigTree
internal import RoutingPolicy

/// A new key of a client: the secret, which is shown once, and the lines of the policy that hold its hash.
package struct NewKey {
    /// What no key can have, with what to write instead.
    package struct Problem: Error {
        /// The name of the parameter or option: `name`, `endpoints`, `budget` or `expires`.
        package let parameter: String
        package let message: String
    }

    package let secret: String
    /// The SHA-256 of the secret, in hexadecimal.
    package let digest: String
    /// `keys:` with the key.
    package let yaml: String

    /// - Parameters:
    ///   - name: of the key under `keys`.
    ///   - models: names, globs and `tag:NAME`; empty: everything. Whether they exist, the policy's check says.
    ///   - endpoints: words of operations; empty: all.
    ///   - budget: such as `50usd/month`; see `budget(_:)`.
    ///   - expires: the last day, or the time of the end.
    ///   - isAdmin: whether the key may use `/metrics` and `/admin` too.
    ///   - now: in seconds since 1970.
    package init(
        _ name: String, models: [String] = [], endpoints: [String] = [], budget: String? = nil, expires: String? = nil,
        isAdmin: Bool = false, now: Int
    ) throws(Problem) {
        if let problem = PolicyName.problem(with: name) {
            throw Problem(parameter: "name", message: "the name of key '\(abbreviated(name))' \(problem); \(PolicyName.hint)")
        }
        for (parameter, words) in [("models", models), ("endpoints", endpoints)]
        where words.contains(where: { $0.allSatisfy(\.isWhitespace) }) {
            throw Problem(
                parameter: parameter, message: "'\(parameter)' has an empty name; a key without '\(parameter)' may use all of them")
        }
        for word in endpoints where !KeyOperation.words.contains(word) {
            let known = KeyOperation.words
            let hint = nearest(to: word, in: known).map { "did you mean '\($0)'" } ?? "use some of \(known.joined(separator: ", "))"
            throw Problem(parameter: "endpoints", message: "there is no operation '\(abbreviated(word))'; \(hint)")
        }
        if let expires {
            let end = WireDate.rfc3339(expires) ?? WireDate.rfc3339("\(expires)T00:00:00Z").map { $0 + 86_400 }
            guard let end else {
                throw Problem(
                    parameter: "expires",
                    message:
                        "'expires' takes the last day, such as 2027-01-31 (in UTC), or a time, such as 2027-01-31T18:00:00Z, not '\(abbreviated(expires))'"
                )
            }
            if Int(end) <= now {
                throw Problem(
                    parameter: "expires",
                    message: "'expires' is in the past, so the key would open nothing; give it a later day than \(expires)")
            }
        }
        let key = ClientKey.random()
        var entry = DraftEntry(name)
        entry.set("sha256", .text(key.digest))
        if isAdmin { entry.set("admin", .bool(true)) }
        entry.set("models", .texts(models))
        entry.set("endpoints", .texts(endpoints))
        entry.set("budget", try budget.map(Self.budget))
        entry.set("expires", expires.map { .text($0) })
        (secret, digest) = (key.secret, key.digest)
        yaml = "keys:\n\(entry.lines.map { "  \($0)\n" }.joined())"
    }

    /// The secret and the lines, as a person reads them.
    package var text: String { "\(secret)\n\n\(yaml)" }

    /// Reads amounts and their period: `50usd/month`, `1000000tokens/day`, `50usd,1000000tokens/total`; without a
    /// period, it is that of the policy's own default.
    private static func budget(_ text: String) throws(Problem) -> DraftValue {
        var fields: [DraftField] = []
        var period: Budget.Period?
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let amount = part.prefix { $0 != "/" }
            if amount.endIndex < part.endIndex {
                guard let own = Budget.Period(rawValue: String(part[amount.endIndex...].dropFirst())) else { throw badBudget(text) }
                guard period == nil || period == own else {
                    throw Problem(
                        parameter: "budget",
                        message: "a budget has one period, such as 50usd,1000000tokens/month, not '\(abbreviated(text))'")
                }
                period = own
            }
            let number = amount.prefix { $0.isNumber || $0 == "." }
            let unit = String(amount[number.endIndex...]), value = amount.utf8.count <= 32 ? Double(number) : nil
            guard let value, value > 0, value <= 1e12, !fields.contains(where: { $0.key == unit }) else { throw badBudget(text) }
            switch unit {
            case "usd" where value <= 1e6: fields.append(DraftField(unit, .number(value)))
            case "tokens" where value.rounded() == value: fields.append(DraftField(unit, .int(Int(value))))
            default: throw badBudget(text)
            }
        }
        if let period { fields.append(DraftField("per", .text(period.rawValue))) }
        return .mapping(fields)
    }

    private static func badBudget(_ text: String) -> Problem {
        let periods = Budget.Period.allCases.map(\.rawValue).joined(separator: ", ")
        return Problem(
            parameter: "budget",
            message:
                "'budget' takes an amount and a period, such as 50usd/month or 50usd,1000000tokens/day, not '\(abbreviated(text))'; the periods are \(periods)"
        )
    }
}
