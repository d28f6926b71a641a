import ProviderKit

/// Replaces secrets with `<secret>` in a text that came from outside.
struct SecretMask: Sendable {
    private let secrets: [String]

    init(_ secrets: [Secret]) {
        // Longer secrets come first, so that one that contains another is replaced completely. Secrets of fewer than
        // 4 bytes are not masked, because they occur in ordinary words.
        self.secrets = secrets.map { $0.reveal() }.filter { $0.utf8.count >= 4 }.sorted { $0.utf8.count > $1.utf8.count }
    }

    func callAsFunction(_ text: String) -> String {
        secrets.reduce(text, replacing)
    }

    private func replacing(_ text: String, _ secret: String) -> String {
        let bytes = Array(text.utf8), needle = Array(secret.utf8)
        guard bytes.count >= needle.count else { return text }
        var result: [UInt8] = []
        var index = 0
        var isChanged = false
        while index < bytes.count {
            if bytes[index] == needle[0], index + needle.count <= bytes.count, bytes[index..<(index + needle.count)].elementsEqual(needle) {
                result += "<secret>".utf8
                index += needle.count
                isChanged = true
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return isChanged ? String(decoding: result, as: UTF8.self) : text
    }

    func callAsFunction(_ error: ProviderError) -> ProviderError {
        guard !secrets.isEmpty else { return error }
        var masked = error
        masked.message = self(error.message)
        masked.code = error.code.map(self.callAsFunction)
        masked.type = error.type.map(self.callAsFunction)
        masked.param = error.param.map(self.callAsFunction)
        return masked
    }
}
