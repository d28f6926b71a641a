import Codecs
import Engine
import NIOCore
import ProviderKit
import Telemetry
import WireFormats

/// The endpoints of Ollama's API that send nothing to models.
enum OllamaEndpoints {
    /// `POST /api/show`. Old clients give the model's name as `name`.
    static func show(_ exchange: Exchange) {
        let body = exchange.server.body
        guard let object = JSONTree(body.readableBytesSpan), object.members != nil else {
            return exchange.respond(APIError(400, "the body is not a JSON object", code: "invalid_json"))
        }
        guard let name = (object["model"] ?? object["name"])?.string else {
            return exchange.respond(APIError.invalid("model", "a model's name"))
        }
        guard let (entry, _) = ModelsEndpoint.entry(named: exchange.known(name), exchange) else {
            return exchange.respond(APIError.unknownModel(name))
        }
        var writer = JSONWriter()
        exchange.face.writeModel(entry, exchange.snapshot.loadedAt, &writer)
        exchange.respond(200, writer.bytes)
    }

    /// `GET /api/ps`. No model is loaded here, and none has to be.
    static func running(_ exchange: Exchange) { exchange.respond(200, Array(#"{"models":[]}"#.utf8)) }

    static func version(_ exchange: Exchange) {
        var writer = JSONWriter()
        writer.object { $0.member("version", exchange.snapshot.policy.server.ollamaVersion) }
        exchange.respond(200, writer.bytes)
    }

    /// The endpoints that download, upload, make, copy and delete models.
    static func manage(_ exchange: Exchange) {
        exchange.respond(
            APIError(
                501, "the router has no models of its own to manage: they are in its policy file, which its operator changes",
                code: "not_supported"))
    }

    /// Responds to a request without messages or a prompt, with which Ollama loads a model, or unloads it. False if it
    /// isn't one. Source: ollama/ollama, docs/api.md, "Load a model" and "Unload a model".
    static func loads(_ exchange: Exchange, _ format: WireFormat) -> Bool {
        let body = exchange.server.body, span = body.readableBytesSpan
        guard format == OllamaChat.format || format == OllamaChat.generate, let members = try? JSON.members(of: span) else { return false }
        let name: StaticString = format == OllamaChat.format ? "messages" : "prompt"
        var unloads = false
        for member in members {
            if JSON.isKey(member.key, name, in: span), member.value.kind != .null, !isEmpty(member.value, span) { return false }
            if JSON.isKey(member.key, "keep_alive", in: span) { unloads = isZero(member.value, span) }
        }
        do throws(APIError) {
            let request = try CallEndpoint.outline(of: exchange)
            exchange.asked = (request.models, false)
            _ = try CallEndpoint.plan(
                PlanRequest(
                    operation: .chat, models: request.models, needs: request.needs, overrides: request.overrides, scope: exchange.scope),
                exchange, in: exchange.snapshot)
            exchange.respond(
                200, OllamaChat.loaded(format, model: request.models.first ?? "", isUnloaded: unloads, at: Timestamp.now().allMilliseconds))
        } catch {
            exchange.respond(error)
        }
        return true
    }

    /// Whether a length of time is 0: a number, or a text such as "0", "0s" and "0h0m". Source: ollama/ollama,
    /// api/types.go, `Duration`.
    private static func isZero(_ value: JSONValue, _ body: RawSpan) -> Bool {
        guard value.kind == .number || value.kind == .string else { return false }
        var hasDigit = false
        for place in value.range where ASCII.isDigit(body.byte(place)) {
            guard body.byte(place) == UInt8(ascii: "0") else { return false }
            hasDigit = true
        }
        return hasDigit
    }

    private static func isEmpty(_ value: JSONValue, _ body: RawSpan) -> Bool {
        switch value.kind {
        case .string: return value.range.count == 2
        case .array:
            var cursor = JSONCursor(at: value.range.lowerBound)
            return (try? cursor.enterArray(body)) != nil && (try? cursor.nextElement(body)) == false
        case .object, .number, .true, .false, .null: return false
        }
    }
}
