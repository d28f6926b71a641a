import Codecs
import ProviderKit

extension ProviderConformance {
    /// The requests of a provider that can continue a partial response.
    static let continuationChecks: [Check] = [
        continuing("a continuation can be requested") { _, failure, _ in failure.map { "it is refused: \($0.message)" } },
        continuing("a continuation is JSON") { body, _, _ in body.isEmpty || (try? JSON.validate(body.span.bytes)) != nil ? nil : "it isn't"
        },
        continuing("the last message of a continuation is the assistant's, with exactly the text so far") { body, _, text in
            lastMessage(body).flatMap { $0.role == "assistant" && $0.content == text ? nil : "it is the \($0.role)'s: '\($0.content)'" }
        },
        continuing("a continuation in a format without messages contains the text so far") { body, failure, text in
            guard failure == nil, lastMessage(body) == nil else { return nil }
            var writer = JSONWriter()
            writer.string(text)
            return String(decoding: body, as: UTF8.self).contains(String(decoding: writer.bytes, as: UTF8.self)) ? nil : "it doesn't"
        },
    ]

    private static let texts = ["x", " She said \"да\"\\\n\u{1}\u{2028}🚀 ", String(repeating: "long ", count: 2000)]

    private static func continuing(
        _ name: String, _ find: @escaping @Sendable (_ body: [UInt8], _ failure: ProviderError?, _ text: String) -> String?
    ) -> Check {
        Check(name) { suite in
            guard suite.provider.canContinue, suite.provider.origin != nil else { return [] }
            return suite.requests.flatMap { client in
                texts.compactMap { text in
                    do throws(ProviderError) {
                        let request = try suite.request(client, isStream: true, continuation: text)
                        return find(suite.rendered(request, client.body), nil, text)
                    } catch {
                        return find([], error, text)
                    }
                }
            }
        }
    }

    /// nil: the body has no list of messages.
    private static func lastMessage(_ body: [UInt8]) -> (role: String, content: String)? {
        let bytes = body.span.bytes
        guard let messages = try? JSON.members(of: bytes).last(where: { JSON.isKey($0.key, "messages", in: bytes) })?.value,
            messages.kind == .array
        else { return nil }
        var last: JSONValue?
        var cursor = JSONCursor(at: messages.range.lowerBound)
        do throws(JSONError) {
            try cursor.enterArray(bytes)
            while try cursor.nextElement(bytes) { last = try cursor.skipValue(bytes) }
        } catch {
            return nil
        }
        guard let last, last.kind == .object else { return ("", "") }
        let inner = bytes.extracting(last.range)
        var message = (role: "", content: "")
        for member in (try? JSON.members(of: inner)) ?? [] where member.value.kind == .string {
            if JSON.isKey(member.key, "role", in: inner) { message.role = JSON.string(member.value.range, in: inner) }
            if JSON.isKey(member.key, "content", in: inner) { message.content = JSON.string(member.value.range, in: inner) }
        }
        return message
    }
}
