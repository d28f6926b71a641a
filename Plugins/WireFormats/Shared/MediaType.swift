import Codecs

/// The media types of files, for clients that don't name them.
public enum MediaType {
    /// The media type by the first bytes; nil if they are unknown. Sources: the specifications of PNG, JPEG, GIF, PDF,
    /// ID3, FLAC and Ogg, and of RIFF, whose kind of content follows the size: WebP's or WAVE's.
    ///
    /// - Parameter data: base64.
    public static func ofBase64(_ data: some StringProtocol) -> String? {
        let beginnings = [
            ("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("JVBERi0", "application/pdf"),
            ("SUQz", "audio/mp3"), ("//s", "audio/mp3"), ("//v", "audio/mp3"), ("ZkxhQw", "audio/flac"), ("T2dnUw", "audio/ogg"),
        ]
        if let known = beginnings.first(where: { data.hasPrefix($0.0) }) { return known.1 }
        guard data.hasPrefix("UklGR"), let head = Base64.decoded(Array(data.utf8.prefix(16))) else { return nil }
        switch String(decoding: head.suffix(4), as: UTF8.self) {
        case "WEBP": return "image/webp"
        case "WAVE": return "audio/wav"
        default: return nil
        }
    }
}
