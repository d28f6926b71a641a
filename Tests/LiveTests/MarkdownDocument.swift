import TestSupport

/// The parts of a Markdown document that the tests check: fenced code blocks, links and headings.
struct MarkdownDocument: Sendable {
    struct Block: Sendable {
        /// The word after the opening fence, such as `sh`.
        let language: String
        /// The number of the block's first line in the document, from 1.
        let line: Int
        var lines: [String] = []
        /// Whether `<!-- not run: REASON -->` is in the line before the block.
        let isSkipped: Bool

        var text: String { lines.joined(separator: "\n") + "\n" }
    }

    struct Link: Sendable {
        let target: String
        let line: Int
    }

    /// Relative to the root of the repository.
    let path: String
    private(set) var blocks: [Block] = []
    private(set) var links: [Link] = []
    /// The anchors of the headings.
    private(set) var anchors: Set<String> = []

    /// Throws if the last code block is not closed.
    init(_ text: String, path: String) throws {
        self.path = path
        var block: Block?
        var previous: Substring = ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            defer { previous = line }
            if line.hasPrefix("```") {
                if let ended = block {
                    blocks.append(ended)
                    block = nil
                } else {
                    let isSkipped = previous.wholeMatch(of: /<!-- not run: .+ -->/) != nil
                    block = Block(language: String(line.dropFirst(3)), line: index + 2, isSkipped: isSkipped)
                }
            } else if block != nil {
                block?.lines.append(String(line))
            } else {
                readProse(line, index + 1)
            }
        }
        if let block {
            throw TestFailure("\(path):\(block.line - 1): the code block is not closed", CallSite(#fileID, #line))
        }
    }

    private mutating func readProse(_ line: Substring, _ number: Int) {
        if let heading = line.wholeMatch(of: /#{1,6} +(.+)/) { addAnchor(of: heading.1) }
        for match in line.replacing(/`[^`]*`/, with: "").matches(of: /\]\(([^)]+)\)/) {
            links.append(Link(target: String(match.1), line: number))
        }
    }

    /// GitHub's anchor of a heading: its text in lower case, without punctuation, with hyphens for spaces. A repeated
    /// anchor gets a number.
    private mutating func addAnchor(of heading: Substring) {
        let text = heading.replacing(/\[([^\]]*)\]\([^)]*\)/) { $0.1 }
        let anchor = String(
            text.lowercased().compactMap { character -> Character? in
                if character == " " { return "-" }
                return character.isLetter || character.isNumber || character == "-" || character == "_" ? character : nil
            })
        var (unique, number) = (anchor, 0)
        while !anchors.insert(unique).inserted {
            number += 1
            unique = "\(anchor)-\(number)"
        }
    }
}
