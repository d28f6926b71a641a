/// The types of media.
enum MediaType {
    /// The media type by the first bytes, in base64; nil if they are unknown. Sources: the specifications of PNG, JPEG,
    /// GIF, WebP and PDF.
    static func ofBase64(_ data: String) -> String? {
        let beginnings = [
            ("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp"),
            ("JVBERi0", "application/pdf"),
        ]
        return beginnings.first { data.hasPrefix($0.0) }?.1
    }
}
