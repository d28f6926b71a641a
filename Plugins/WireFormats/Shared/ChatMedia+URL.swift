import ProviderKit

extension ChatMedia.Source {
    /// The bytes of a `data:` URL, or the URL of another scheme. Source: RFC 2397.
    init(url: String) {
        guard url.hasPrefix("data:"), let comma = url.firstIndex(of: ",") else {
            self = .url(url)
            return
        }
        let head = url[url.index(url.startIndex, offsetBy: 5)..<comma].split(separator: ";", omittingEmptySubsequences: false)
        guard head.last == "base64" else {
            self = .url(url)
            return
        }
        let type = head.first.map(String.init) ?? ""
        self = .base64(String(url[url.index(after: comma)...]), mediaType: type.isEmpty || type == "base64" ? nil : type)
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
