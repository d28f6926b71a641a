/// A reader of event streams that shares no code with the product. It reports every field other than `data`, because
/// OpenAI's clients do not expect any. Source: WHATWG HTML, 9.2.6.
package struct EventReader {
    package enum Item: Equatable, Sendable {
        case data(String)
        case comment(String)
        /// `id:`, `event:`, `retry:` or an unknown field.
        case field(String)
    }

    private var line: [UInt8] = []
    private var data: [String] = []
    private var afterCarriageReturn = false

    package init() {}

    package mutating func read(_ bytes: [UInt8]) -> [Item] {
        var items: [Item] = []
        for byte in bytes {
            defer { afterCarriageReturn = byte == 13 }
            if byte == 10 && afterCarriageReturn { continue }
            guard byte == 10 || byte == 13 else {
                line.append(byte)
                continue
            }
            endLine(&items)
        }
        return items
    }

    /// Whether there are bytes that no blank line has ended yet. A stream that ends with such bytes was cut off.
    package var isInsideEvent: Bool { !line.isEmpty || !data.isEmpty }

    private mutating func endLine(_ items: inout [Item]) {
        defer { line.removeAll() }
        if line.isEmpty {
            if !data.isEmpty { items.append(.data(data.joined(separator: "\n"))) }
            data.removeAll()
        } else if line.first == UInt8(ascii: ":") {
            items.append(.comment(String(decoding: line.dropFirst(), as: UTF8.self)))
        } else {
            let text = String(decoding: line, as: UTF8.self)
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0] == "data" else { return items.append(.field(text)) }
            let value = parts.count > 1 ? parts[1] : ""
            data.append(String(value.first == " " ? value.dropFirst() : value))
        }
    }
}
