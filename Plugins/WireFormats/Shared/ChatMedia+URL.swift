import Codecs
import ProviderKit

extension ChatMedia.Source {
    /// The bytes of a `data:` URL, or the URL of another scheme. Without `base64`, the bytes are percent-encoded. The
    /// case of scheme, type and `base64` doesn't matter. Sources: RFC 2397; RFC 3986, section 3.1; RFC 6838, section
    /// 4.2.
    init(url: String) {
        let scheme = "data:"
        guard url.prefix(scheme.count).lowercased() == scheme, let comma = url.firstIndex(of: ",") else {
            self = .url(url)
            return
        }
        let head = url[..<comma].dropFirst(scheme.count).lowercased().split(separator: ";", omittingEmptySubsequences: false)
        let data = url[url.index(after: comma)...], type = head.first.flatMap { $0.contains("/") ? String($0) : nil }
        if head.last == "base64" {
            self = .base64(String(data), mediaType: type)
        } else if let bytes = PercentEncoding.decoded(data.utf8) {
            self = .base64(Base64.encoded(bytes), mediaType: type ?? "text/plain")
        } else {
            self = .url(url)
        }
    }

    /// Whether it is a URL that a server of another vendor can fetch.
    var isWeb: Bool {
        guard case .url(let url) = self else { return false }
        let start = url.prefix(8).lowercased()
        return start.hasPrefix("http://") || start == "https://"
    }

    /// The source as a URL, which holds the bytes if they are in the request; nil for an id.
    var url: String? {
        switch self {
        case .url(let url): url
        case .base64(let data, let type): "data:\(type ?? "");base64,\(data)"
        case .id: nil
        }
    }
}

extension ChatMedia {
    /// A sound's format as OpenAI names it: its media type without `audio/`. nil if the type is unknown.
    var audioFormat: String? {
        guard case .base64(_, let type?) = source else { return nil }
        return type.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).last.map(String.init)
    }
}

extension ChatMedia.Kind {
    /// The kind as the object of a sentence.
    var withArticle: String {
        switch self {
        case .image: "an image"
        case .audio: "audio"
        case .video: "a video"
        case .file: "a file"
        }
    }
}
