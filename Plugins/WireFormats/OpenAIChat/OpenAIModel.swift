/// What one of OpenAI's models accepts, judged by its name, because it refuses requests with anything else.
///
/// Sources: OpenAI's API reference, "Chat Completions", `reasoning_effort`, and the pages of its models.
struct OpenAIModel {
    /// The efforts that the model knows, from the least to the most; nil for a model of another vendor.
    private let efforts: ArraySlice<String>?

    private static let allEfforts = ["none", "minimal", "low", "medium", "high", "xhigh"]

    init(_ name: String) {
        let name = name.lowercased().split(separator: "/").last.map(String.init) ?? ""
        func begins(_ beginnings: String...) -> Bool { beginnings.contains { name.hasPrefix($0) } }
        func efforts(_ first: String, _ last: String) -> ArraySlice<String> {
            Self.allEfforts.drop { $0 != first }.prefix(through: Self.allEfforts.firstIndex(of: last) ?? 0)
        }
        if begins("gpt-3", "gpt-4", "chatgpt-", "o1-mini", "o1-preview") || begins("gpt-5") && name.contains("-chat") {
            self.efforts = []
        } else if begins("o1", "o3", "o4", "gpt-oss") {
            self.efforts = efforts("low", "high")
        } else if begins("gpt-5.") {
            let minor = Int(name.dropFirst("gpt-5.".count).prefix { $0.isNumber }) ?? 0
            let hasMost = minor >= 2 || name.contains("codex-max")
            self.efforts =
                (name.contains("-pro") ? efforts("medium", "xhigh") : efforts("none", hasMost ? "xhigh" : "high"))
                .filter { $0 != "minimal" }[...]
        } else if begins("gpt-5") {
            self.efforts = begins("gpt-5-pro") ? ["high"] : efforts(name.contains("codex") ? "low" : "minimal", "high")
        } else {
            self.efforts = nil
        }
    }

    /// The nearest effort that the model knows; nil if it knows none.
    func effort(_ effort: String) -> String? {
        // Only other formats have this one.
        let effort = effort == "max" ? "xhigh" : effort
        guard let efforts, let wanted = Self.allEfforts.firstIndex(of: effort) else { return effort }
        func distance(_ known: String) -> Int { abs((Self.allEfforts.firstIndex(of: known) ?? 0) - wanted) }
        // Of two that are as near, the greater one.
        return efforts.reversed().min { distance($0) < distance($1) }
    }
}
