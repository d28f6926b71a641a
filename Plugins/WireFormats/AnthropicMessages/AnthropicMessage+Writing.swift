import Codecs
import ProviderKit

extension AnthropicMessage {
    static func text(_ text: String, _ cacheControl: [UInt8]?) -> [UInt8] {
        block("text", cacheControl) { $0.member("text", text) }
    }

    static func thinking(_ reasoning: ChatReasoningText, _ token: String) -> [UInt8] {
        if reasoning.token?.kind == .encrypted { return block("redacted_thinking", nil) { $0.member("data", token) } }
        return block("thinking", nil) {
            $0.member("thinking", reasoning.text)
            $0.member("signature", token)
        }
    }

    static func toolUse(_ call: ChatToolCall, id: String, _ cacheControl: [UInt8]?) -> [UInt8] {
        block("tool_use", cacheControl) {
            $0.member("id", id)
            $0.member("name", call.name)
            $0.key("input")
            $0.raw(call.argumentsObject)
        }
    }

    /// - Parameter content: the blocks of the result.
    static func toolResult(_ result: ChatToolResult, id: String, _ content: [[UInt8]], _ cacheControl: [UInt8]?) -> [UInt8] {
        block("tool_result", cacheControl) {
            $0.member("tool_use_id", id)
            if !content.isEmpty {
                $0.key("content")
                $0.array { for block in content { $0.raw(block) } }
            }
            if result.isError { $0.member("is_error", true) }
        }
    }

    static func media(_ media: ChatMedia, _ cacheControl: [UInt8]?) throws(ProviderError) -> [UInt8] {
        let type: String, what: String
        switch media.kind {
        case .image: (type, what) = ("image", "an image")
        case .file: (type, what) = ("document", "a file")
        case .audio, .video: throw .cannotExpress(media.kind.withArticle)
        }
        var source = JSONWriter()
        source.beginObject()
        switch media.source {
        case .url(let url):
            guard media.source.isWeb else { throw .cannotExpress("\(what) at a URL that isn't on the web") }
            source.member("type", "url")
            source.member("url", url)
        case .id(let id):
            // Other vendors' ids mean nothing here. Source: Anthropic's guide "Files API".
            guard id.hasPrefix(fileMark) else { throw .cannotExpress("\(what) with the id of another provider") }
            source.member("type", "file")
            source.member("file_id", id)
        case .base64(let data, let mediaType):
            let mediaType = mediaType ?? MediaType.ofBase64(data) ?? ""
            if media.kind == .file, mediaType.hasPrefix("text/") {
                guard let text = Base64.decoded(data.utf8) else { throw .cannotExpress("a file that is not base64") }
                source.member("type", "text")
                source.member("media_type", "text/plain")
                source.member("data", String(decoding: text, as: UTF8.self))
            } else {
                // Source: the SDK's `Base64ImageSourceParam` and `Base64PDFSourceParam`.
                let known = media.kind == .image ? ["image/jpeg", "image/png", "image/gif", "image/webp"] : ["application/pdf"]
                guard let type = known.first(where: { $0 == mediaType || mediaType == "image/jpg" && $0 == "image/jpeg" }) else {
                    throw .cannotExpress("\(what) of the type '\(mediaType.prefix(64))'")
                }
                source.member("type", "base64")
                source.member("media_type", type)
                source.member("data", data)
            }
        }
        source.endObject()
        let json = source.bytes
        return block(type, cacheControl) {
            $0.key("source")
            $0.raw(json)
            if media.kind == .file, let filename = media.filename { $0.member("title", filename) }
        }
    }

    /// What ids of Anthropic's files begin with.
    static let fileMark = "file_"

    private static func block(_ type: String, _ cacheControl: [UInt8]?, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("type", type)
            members(&$0)
            $0.cacheControl(cacheControl)
        }
        return writer.bytes
    }
}
