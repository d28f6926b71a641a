/// Texts as the logs for people show them.
package enum LogText {
    /// A value behind `name=`, in quotes if it would run into the next one otherwise.
    package static func quoted(_ value: String) -> String {
        let text = escaped(value)
        return text.isEmpty || text.utf8.contains(0x20) || text.utf8.contains(0x22)
            ? "\"\(text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\""))\"" : text
    }

    /// A text without what could move the cursor, change the direction of writing or begin a line.
    package static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\n": text += "\\n"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}":
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
