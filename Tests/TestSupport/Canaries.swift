/// Planted secrets, and the search for them in everything that the router outputs.
package struct Canaries: Sendable {
    private let secrets: [String: String]

    /// - Parameter secrets: by the name that a message shows instead of the secret.
    package init(_ secrets: [String: String]) {
        self.secrets = secrets
    }

    /// Returns `NAME in SINK` for each sink (an output, by its name) that contains a secret or any twelve bytes of it.
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
