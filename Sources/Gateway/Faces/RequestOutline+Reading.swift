import Codecs
import HTTPWire
import RoutingPolicy

extension RequestOutline {
    /// What a body and its headers give, read member by member.
    struct Reading {
        private(set) var overrides = OverrideReader()
        private(set) var needs: ChatNeeds
        /// nil: the body doesn't say it.
        private(set) var isStream: Bool?
        private(set) var wantsUsage = false
        private(set) var choices = 1
        private(set) var members: [JSONMember] = []
        /// The fields that the body has had: one bit for each id.
        private var seen: UInt64 = 0

        init(
            of body: RawSpan, _ table: borrowing FieldTable, _ path: Path?, _ headers: borrowing HTTPFields, isExact: Bool
        ) throws(APIError) {
            needs = ChatNeeds(isExact: isExact)
            // The first invalid value is reported only if the whole body is valid JSON.
            var refusal: [APIError] = []
            do throws(JSONError) { try read(body, table, &refusal) } catch { throw .invalidJSON(error, in: body) }
            guard refusal.isEmpty else { throw refusal[0] }
            if let path {
                try overrides.readModels(.header(path.model), name: "model")
                isStream = path.isStream
            }
            try overrides.check { "\($0.name)" }
            if let given = try OverrideReader(headers: headers) {
                if !table.hasOverrides { overrides.takeModels(of: given) }
                overrides.add(given)
            }
        }

        /// - Parameter refusal: gets the first invalid value. An empty list costs less than an empty error.
        private mutating func read(_ body: RawSpan, _ table: borrowing FieldTable, _ refusal: inout [APIError]) throws(JSONError) {
            var cursor = JSONCursor()
            members.reserveCapacity(16)
            try cursor.enterObject(body)
            while let key = try cursor.nextKey(body) {
                guard let field = table.named(key, in: body) else {
                    members.append(JSONMember(key: key, value: try cursor.skipValue(body)))
                    continue
                }
                let value = field.isMessages ? try needs.readMessages(&cursor, body) : try cursor.skipValue(body)
                if !field.isOverride { members.append(JSONMember(key: key, value: value)) }
                guard refusal.isEmpty else { continue }
                do throws(APIError) { try read(field, value, body) } catch { refusal = [error] }
            }
            try cursor.end(body)
        }

        private mutating func read(_ field: Field, _ value: JSONValue, _ body: RawSpan) throws(APIError) {
            let bit = UInt64(1) << UInt64(field.id)
            guard seen & bit == 0 else { throw .duplicate(field.text) }
            seen |= bit
            if value.kind == .null { return }
            switch field.meaning {
            case .override(let index): try overrides.read(RoutingOverride.all[index], OverrideValue(value, in: body), name: field.text)
            case .member(let member): try read(member, field, value, body)
            }
        }

        private mutating func read(_ member: Member, _ field: Field, _ value: JSONValue, _ body: RawSpan) throws(APIError) {
            switch member {
            case .messages: break
            case .input, .prompt, .query, .documents: needs.readTexts(value, body)
            case .items: needs.readItems(value, body)
            case .system, .instructions: needs.readSystem(value, body)
            case .images: needs.readImages(value, body)
            case .tools, .functions: needs.readTools(value, body)
            case .maxTokens, .maxOutputTokens: needs.readMaxTokens(value, body)
            case .maxCompletionTokens: needs.readMaxCompletionTokens(value, body)
            case .model: try overrides.readModels(OverrideValue(value, in: body), name: field.text)
            case .stream:
                guard value.kind == .true || value.kind == .false else { throw .invalid(field.text, "true or false") }
                isStream = value.kind == .true
            case .n:
                // A number that is not valid is left for the upstream to refuse.
                choices = max(1, JSON.integer(value, in: body) ?? 1)
            case .streamOptions:
                guard value.kind == .object else { throw .invalid(field.text, "an object") }
                wantsUsage = try Self.member("include_usage", of: value, field, body)?.kind == .true
            case .responseFormat:
                guard value.kind == .object, let type = try Self.member("type", of: value, field, body) else { return }
                if JSON.isString(type, "json_object", in: body) || JSON.isString(type, "json_schema", in: body) { needs.add(.json) }
            case .options:
                guard value.kind == .object, let limit = try Self.member("num_predict", of: value, field, body) else { return }
                needs.readMaxTokens(limit, body)
            case .format:
                if value.kind == .object && !JSON.isEmpty(value, in: body) || JSON.isString(value, "json", in: body) { needs.add(.json) }
            case .outputFormat:
                if value.kind == .object, !JSON.isEmpty(value, in: body) { needs.add(.json) }
            case .contents: needs.readContents(value, body)
            case .systemInstruction, .content: needs.readContent(value, body)
            case .requests: needs.readEmbeddings(value, body)
            case .generationConfig: readGenerationConfig(value, body)
            case .generateContentRequest: try readInner(value, body)
            case .outputConfig:
                guard value.kind == .object, let format = try Self.member("format", of: value, field, body) else { return }
                if format.kind == .object, !JSON.isEmpty(format, in: body) { needs.add(.json) }
            case .text:
                guard value.kind == .object, let format = try Self.member("format", of: value, field, body), format.kind == .object,
                    let type = try Self.member("type", of: format, field, body)
                else { return }
                if JSON.isString(type, "json_object", in: body) || JSON.isString(type, "json_schema", in: body) { needs.add(.json) }
            case .background where value.kind == .false: break
            case .previousResponse where JSON.isEmpty(value, in: body), .conversation where JSON.isEmpty(value, in: body): break
            case .previousResponse: throw .needsStore(field.text, code: "previous_response_not_found")
            case .conversation, .background: throw .needsStore(field.text, code: "unsupported_value")
            }
        }

        private mutating func readGenerationConfig(_ config: JSONValue, _ body: RawSpan) {
            forEachMember(of: config, body) { reading, key, value in
                if JSON.isKey(key, "maxOutputTokens", in: body) || JSON.isKey(key, "max_output_tokens", in: body) {
                    reading.needs.readMaxTokens(value, body)
                } else if JSON.isKey(key, "responseMimeType", in: body) || JSON.isKey(key, "response_mime_type", in: body) {
                    if value.kind == .string, JSON.isString(value, "application/json", in: body) { reading.needs.add(.json) }
                }
            }
        }

        /// Reads the request whose tokens are counted.
        private mutating func readInner(_ request: JSONValue, _ body: RawSpan) throws(APIError) {
            guard seen.nonzeroBitCount < 32 else { return }
            try forEachMember(of: request, body) { reading, key, value throws(APIError) in
                guard let field = FieldTable.gemini.named(key, in: body) else { return }
                try reading.read(field, value, body)
            }
        }

        /// Calls `read` for each member of an object that has been checked.
        private mutating func forEachMember<Failure: Error>(
            of object: JSONValue, _ body: RawSpan, _ read: (inout Self, Range<Int>, JSONValue) throws(Failure) -> Void
        ) throws(Failure) {
            var cursor = JSONCursor(at: object.range.lowerBound)
            guard object.kind == .object, (try? cursor.enterObject(body)) != nil else { return }
            while let key = try? cursor.nextKey(body), let value = try? cursor.skipValue(body) { try read(&self, key, value) }
        }

        /// A member of an object that has been checked. An error if the object has it twice.
        private static func member(
            _ name: StaticString, of object: JSONValue, _ field: Field, _ body: RawSpan
        ) throws(APIError) -> JSONValue? {
            var cursor = JSONCursor(at: object.range.lowerBound)
            var found: JSONValue?
            var isDuplicate = false
            do throws(JSONError) {
                try cursor.enterObject(body)
                while let key = try cursor.nextKey(body) {
                    let value = try cursor.skipValue(body)
                    guard JSON.isKey(key, name, in: body) else { continue }
                    if found != nil { isDuplicate = true }
                    found = value
                }
            } catch {
                return nil
            }
            if isDuplicate { throw .duplicate("\(field.text).\(name)") }
            return found
        }
    }
}
