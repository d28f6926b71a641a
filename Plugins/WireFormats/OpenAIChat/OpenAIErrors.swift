import Codecs
import ProviderKit

extension OpenAIChat {
    /// The codes that mean success, beside 0. MiniMax reports `"base_resp": {"status_code": 0}` in each response, and
    /// other servers in China a status or a word.
    private static let successCodes: Set = ["200", "ok", "success"]

    /// The error that an object without choices reports; nil if it reports none, such as a ping or a success.
    static func failureWithoutChoices(_ bytes: RawSpan) -> ProviderError? {
        guard let body = ErrorBody(bytes) else { return nil }
        if let code = body.code { return successCodes.contains(code.lowercased()) ? nil : .reported(body) }
        return body.message == nil || body.hasSuccessCode ? nil : .reported(body)
    }

    /// The error that the first element of an array reports; nil if it reports none.
    static func failureInArray(_ bytes: RawSpan) -> ProviderError? {
        var cursor = JSONCursor()
        guard (try? cursor.enterArray(bytes)) != nil, (try? cursor.nextElement(bytes)) == true,
            let element = try? cursor.skipValue(bytes), element.kind == .object
        else { return nil }
        do throws(ProviderError) { _ = try OpenAIChunk(element.range, in: bytes, hasBegun: false) } catch {
            return error.isUnreadable ? nil : error
        }
        return nil
    }
}

extension ProviderError {
    /// The error for a stream that has announced a choice and has never sent it.
    static var silentChoice: ProviderError { .truncated("the upstream ended the stream without content for one of its choices") }
}
