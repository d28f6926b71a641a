/// A request's or a response's head as it stood on the wire. Written apart from the product's parser, so that the two can disagree.
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

    /// The first field of that name, in any case.
    package subscript(_ name: String) -> String? { all(name).first }

    package func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// Of a response; 0 where the start line has none.
    package var status: Int {
        let parts = startLine.split(separator: " ")
        return parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    }

    /// Of a request.
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
