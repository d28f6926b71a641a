import Codecs

/// The `tags:` of a selector in disjunctive normal form: `"llama & tier-1, gemini"`. `,` is OR, `&` is AND, `!` is NOT.
package struct TagExpression: Sendable, Hashable {
    package struct Term: Sendable, Hashable {
        package var tag: String
        package var isNegated: Bool
    }

    /// The expression matches if all terms of at least one alternative match.
    package var alternatives: [[Term]]

    /// Nil if there are no tags, if a tag is missing next to an operator, or if a tag's name is not valid.
    package init?(_ texts: [String]) {
        var alternatives: [[Term]] = []
        for text in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            var terms: [Term] = []
            for part in text.split(separator: "&", omittingEmptySubsequences: false) {
                let word = part.trimmingBlanks()
                let tag = word.hasPrefix("!") ? word.dropFirst().trimmingBlanks() : word
                guard isTag(tag) else { return nil }
                terms.append(Term(tag: String(tag), isNegated: word.hasPrefix("!")))
            }
            alternatives.append(terms)
        }
        guard !alternatives.isEmpty else { return nil }
        self.alternatives = alternatives
    }

    /// Each alternative as a policy file writes it: `llama & !paid`.
    package var texts: [String] {
        alternatives.map { terms in terms.map { ($0.isNegated ? "!" : "") + $0.tag }.joined(separator: " & ") }
    }

    package func matches(_ tags: some Collection<String>) -> Bool {
        alternatives.contains { terms in terms.allSatisfy { tags.contains($0.tag) != $0.isNegated } }
    }
}

/// Whether a text is a valid tag: visible ASCII without the characters that expressions, lists and patterns use.
package func isTag(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { 0x21...0x7E ~= $0 && !"!&,*".utf8.contains($0) }
}

extension TagExpression: CustomStringConvertible {
    /// The expression as a policy file writes it: `fast & !paid, vision`.
    package var description: String { texts.joined(separator: ", ") }
}
