/// The head of a request or a response as it was on the wire. It shares no code with the product's parser, so a mistake
/// in one of them shows.
package struct HTTPHead: Sendable {
    package let raw: String
    package let startLine: String
    package let fields: [(name: String, value: String)]

    package init(_ raw: [UInt8]) {
        self.raw = String(decoding: raw, as: UTF8.self)
        var lines = raw.split(separator: 10, omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
        }
        startLine = lines.removeFirst()
        fields = lines.filter { !$0.isEmpty }.map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), (parts.count > 1 ? String(parts[1]) : "").trimmed)
        }
    }

    /// The value of the first field of that name; upper and lower case are equal.
    package subscript(_ name: String) -> String? { all(name).first }

    package func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The status of a response; 0 if the start line has none.
    package var status: Int {
        let parts = startLine.split(separator: " ")
        return parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    }

    /// The target of a request.
    package var target: String {
        let parts = startLine.split(separator: " ")
        return parts.count > 1 ? String(parts[1]) : ""
    }

    var isChunked: Bool { self["transfer-encoding"]?.lowercased() == "chunked" }
    var contentLength: Int? { self["content-length"].flatMap { Int($0) } }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
