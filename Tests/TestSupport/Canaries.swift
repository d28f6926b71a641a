/// Planted secrets, looked for in everything that the router gives away.
package struct Canaries: Sendable {
    private let secrets: [String: String]

    /// Names, for the messages, and the secrets themselves.
    package init(_ secrets: [String: String]) {
        self.secrets = secrets
    }

    /// `NAME in SINK` for each secret, whole or by any window of twelve characters, that a sink holds.
    package func leaks(in sinks: [String: String]) -> [String] {
        var found: Set<String> = []
        for (sink, text) in sinks {
            let bytes = Array(text.utf8)
            for (name, secret) in secrets where Self.windows(secret).contains(where: { bytes.firstRange(of: $0, from: 0) != nil }) {
                found.insert("\(name) in \(sink)")
            }
        }
        return found.sorted()
    }

    private static func windows(_ secret: String) -> [[UInt8]] {
        let bytes = Array(secret.utf8)
        let size = min(12, bytes.count)
        return (0...(bytes.count - size)).map { Array(bytes[$0..<($0 + size)]) }
    }
}
