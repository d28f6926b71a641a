import Codecs
import HTTPWire
import ProviderKit
import RoutingPolicy

extension ChatRequest {
    /// What a body and its headers say, member by member.
    struct Reading {
        private(set) var own = OverrideReader()
        private(set) var needs: ChatNeeds
        private(set) var isStream = false
        private(set) var wantsUsage = false
        private(set) var choices = 1
        private(set) var members: [JSONMember] = []
        /// A bit for each field.
        private var seen: UInt64 = 0
        /// The first of the values that must not be. A body that is no JSON is refused for that before.
        private var refusal: APIError?

        init(of body: RawSpan, _ headers: HTTPFields, isExact: Bool) throws(APIError) {
            needs = ChatNeeds(isExact: isExact)
            do throws(JSONError) { try read(body) } catch {
                let position = error.position(in: body)
                throw APIError(
                    400, "the body is not a JSON object: line \(position.line), column \(position.column): expected \(error.expected)",
                    code: "invalid_json")
            }
            if let refusal { throw refusal }
            try own.check { $0.name }
            if let given = try OverrideReader(headers: headers) { own.add(given) }
        }

        private mutating func read(_ body: RawSpan) throws(JSONError) {
            var cursor = JSONCursor()
            members.reserveCapacity(16)
            try cursor.enterObject(body)
            while let key = try cursor.nextKey(body) {
                let field = Field(key, in: body)
                let value = field == .messages ? try needs.readMessages(&cursor, body) : try cursor.skipValue(body)
                if field?.isOwn != true { members.append(JSONMember(key: key, value: value)) }
                guard let field, refusal == nil else { continue }
                do throws(APIError) { try read(field, value, body) } catch { refusal = error }
            }
            try cursor.end(body)
        }

        private mutating func read(_ field: Field, _ value: JSONValue, _ body: RawSpan) throws(APIError) {
            let bit = UInt64(1) << UInt64(field.rawValue)
            guard seen & bit == 0 else { throw ChatRequest.givenTwice(field.name) }
            seen |= bit
            if value.kind == .null { return }
            switch field {
            case .messages: break
            case .tools, .functions: needs.readTools(value, body)
            case .maxTokens: needs.readMaxTokens(value, body)
            case .maxCompletionTokens: needs.readMaxCompletionTokens(value, body)
            case .stream:
                guard value.kind == .true || value.kind == .false else { throw ChatRequest.invalid(field.name, "true or false") }
                isStream = value.kind == .true
            case .n:
                // A count that an upstream would refuse is the upstream's to refuse.
                choices = max(1, JSON.integer(value, in: body) ?? 1)
            case .streamOptions:
                guard value.kind == .object else { throw ChatRequest.invalid(field.name, "an object") }
                wantsUsage = try Self.member("include_usage", of: value, field, body)?.kind == .true
            case .responseFormat:
                guard value.kind == .object, let type = try Self.member("type", of: value, field, body) else { return }
                if JSON.isString(type, "json_object", in: body) || JSON.isString(type, "json_schema", in: body) { needs.add(.json) }
            case .model, .tags, .type, .minContextSize, .minMaxOutputTokens, .supportsImage, .supportsVideo, .supportsAudio, .supportsFile,
                .supportsTools,
                .preferFast, .minSuccessRate, .selectionMode, .maxModelSwitches, .maxSameModelRetries, .retryDelay, .timeoutSecs,
                .fallbackProvider, .fallbackModel:
                try own.read(field, OverrideValue(value, in: body), name: field.name)
            }
        }

        /// A member of an object that was checked; of two, none.
        private static func member(
            _ name: StaticString, of object: JSONValue, _ field: Field, _ body: RawSpan
        ) throws(APIError) -> JSONValue? {
            var cursor = JSONCursor(at: object.range.lowerBound)
            var found: JSONValue?
            var isTwice = false
            do throws(JSONError) {
                try cursor.enterObject(body)
                while let key = try cursor.nextKey(body) {
                    let value = try cursor.skipValue(body)
                    guard JSON.isKey(key, name, in: body) else { continue }
                    if found != nil { isTwice = true }
                    found = value
                }
            } catch {
                return nil
            }
            if isTwice { throw ChatRequest.givenTwice("\(field.name).\(name)") }
            return found
        }
    }
}
