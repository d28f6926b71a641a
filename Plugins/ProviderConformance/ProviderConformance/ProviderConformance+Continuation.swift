import Codecs
import ProviderKit

extension ProviderConformance {
    /// If a provider can continue a partial response, the request is JSON, and its last message is the assistant's with
    /// exactly the text so far. A format without `messages` contains the text anywhere.
    func continuationViolations(_ client: Request) -> [String] {
        guard provider.canContinue, provider.origin != nil else { return [] }
        var found: [String] = []
        for text in ["x", " She said \"да\"\\\n\u{1}\u{2028}🚀 ", String(repeating: "long ", count: 2000)] {
            let call = call(client.payload, isStream: true, continuation: text)
            let request: UpstreamRequest
            do { request = try provider.request(for: call, body: client.body.span.bytes) } catch {
                found.append("a continuation is refused: \(error)")
                continue
            }
            let sent = rendered(request, client.body)
            do { try JSON.validate(sent.span.bytes) } catch { found.append("the body of a continuation is not JSON: \(error)") }
            if let last = lastMessage(sent) {
                if last.role != "assistant" || last.content != text {
                    found.append("the last message of a continuation is not the assistant's with the text so far")
                }
            } else {
                var writer = JSONWriter()
                writer.string(text)
                let literal = String(decoding: writer.bytes, as: UTF8.self)
                if !String(decoding: sent, as: UTF8.self).contains(literal) {
                    found.append("the body of a continuation doesn't contain the text so far")
                }
            }
        }
        return found
    }

    private func lastMessage(_ body: [UInt8]) -> (role: String, content: String)? {
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
