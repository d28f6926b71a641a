import Codecs
import ConfigTree

/// Which usage is wanted, and what it is summed up by.
package struct UsageQuery: Sendable, Equatable {
    /// A value that no query can have, with what to write instead.
    package struct Problem: Error {
        /// The name of the parameter: `by` or `since`.
        package let parameter: String
        package let message: String
    }

    package let dimensions: [UsageDimension]
    /// The first second of an hour, since 1970; nil: everything that is kept.
    package let since: Int?

    /// - Parameters:
    ///   - by: names of dimensions with commas between them; nil: each key, provider and model.
    ///   - since: a date or a time, or how long ago it was; nil: everything that is kept. Usage is kept by the hour, so
    ///     the hour around it counts as a whole.
    ///   - now: in seconds since 1970.
    package init(by: String?, since: String?, now: Int) throws(Problem) {
        dimensions = try by.map(Self.dimensions) ?? [.key, .provider, .model]
        self.since = try since.map { text throws(Problem) in
            let second = try Self.second(text, now: now)
            return second - ((second % 3600) + 3600) % 3600
        }
    }

    private static func dimensions(_ text: String) throws(Problem) -> [UsageDimension] {
        var dimensions: [UsageDimension] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            guard let dimension = UsageDimension(rawValue: word) else {
                let known = UsageDimension.allCases.map(\.rawValue)
                let hint = nearest(to: word, in: known).map { "did you mean '\($0)'" } ?? "use some of \(known.joined(separator: ", "))"
                throw Problem(parameter: "by", message: "usage can't be summed up by '\(abbreviated(word))'; \(hint)")
            }
            if !dimensions.contains(dimension) { dimensions.append(dimension) }
        }
        guard !(dimensions.contains(.hour) && dimensions.contains(.day)) else {
            throw Problem(parameter: "by", message: "usage is summed up by 'hour' or by 'day', not both; remove one of them")
        }
        return dimensions
    }

    private static let secondsPerUnit: [Character: Int] = ["h": 3600, "d": 86_400]

    private static func second(_ text: String, now: Int) throws(Problem) -> Int {
        if let time = WireDate.rfc3339(text) ?? WireDate.rfc3339("\(text)T00:00:00Z") { return Int(time) }
        if let unit = text.last.flatMap({ secondsPerUnit[$0] }), let count = Int(text.dropLast()), 1...100_000 ~= count {
            return now - count * unit
        }
        throw Problem(
            parameter: "since",
            message:
                "'since' takes a date such as 2026-11-01 (in UTC), a time such as 2026-11-01T18:00:00Z, or an age such as 24h or 30d, not '\(abbreviated(text))'"
        )
    }
}
