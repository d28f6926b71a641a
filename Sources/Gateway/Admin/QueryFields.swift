/// The parameters in the query of an admin endpoint. Unlike those of the faces, an unknown one is an error, because a
/// person wrote it. One without a value says nothing.
struct QueryFields {
    private var values: [String: String] = [:]

    init(_ exchange: Exchange) throws(APIError) {
        let names = exchange.endpoint?.parameters.map(\.name) ?? []
        for pair in (exchange.server.head.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard names.contains(name), let value = String(percentEncoded: (parts.count > 1 ? parts[1] : "").utf8) else {
                throw APIError(
                    400,
                    "'\(String(pair).excerpt)' is not a parameter of this endpoint; the parameters are "
                        + names.map { "\($0)=…" }.joined(separator: ", "),
                    code: "invalid_value")
            }
            guard !value.isEmpty else { continue }
            guard values.updateValue(value, forKey: name) == nil else {
                throw APIError(
                    400, "'\(name)' is given twice; give it once, and separate the values of a list by commas", code: "invalid_value",
                    param: name)
            }
        }
    }

    subscript(name: String) -> String? { values[name] }

    /// The number that a parameter has; nil if it is missing.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw APIError(
                400, "'\(name)' must be a number from \(range.lowerBound) to \(range.upperBound)", code: "invalid_value", param: name)
        }
        return number
    }
}
