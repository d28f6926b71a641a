import Codecs
import Engine
import HTTPWire
import PolicyDrafts
import ProviderKit
import RoutingPolicy

/// `GET /tools/generate_key`: a new key of a client, with the lines of the policy that hold its hash. The router keeps
/// neither: a reload of the policy with these lines puts the key into force.
enum GenerateKeyEndpoint {
    static let parameters: [RequestMember] = [
        .pattern("name", "[A-Za-z0-9_.-]{1,128}"), .pattern("models", "[^,]+(,[^,]+)*"), .list("endpoints", of: KeyOperation.words),
        .pattern("budget", "[1-9][0-9]{0,5}(usd|tokens)(/(day|week|month|total))?"), .date("expires"), .choice("admin", ["true", "false"]),
    ]

    static func serve(_ exchange: Exchange) {
        do throws(APIError) {
            let key = try key(try QueryFields(exchange))
            let accepted = MediaRanges(exchange.server.head.fields.value("accept") ?? "*/*")
            let isText = accepted.quality(of: "text/plain") > accepted.quality(of: "application/json")
            var writer = JSONWriter()
            writer.object {
                $0.member("key", key.secret)
                $0.member("sha256", key.digest)
                $0.member("yaml", key.yaml)
            }
            exchange.respond(
                200, isText ? Array(key.text.utf8) : writer.bytes, contentType: isText ? "text/plain; charset=utf-8" : "application/json",
                fields: { $0.add("cache-control", "no-store") })
        } catch {
            exchange.respond(error)
        }
    }

    private static func key(_ query: QueryFields) throws(APIError) -> NewKey {
        // An empty name is an error, and never stands for everything.
        func list(_ name: String) -> [String] {
            query[name].map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
        }
        if let admin = query["admin"], !["true", "false"].contains(admin) {
            throw APIError(400, "'admin' must be true or false", code: "invalid_value", param: "admin")
        }
        do throws(NewKey.Problem) {
            return try NewKey(
                query["name"] ?? "new", models: list("models"), endpoints: list("endpoints"), budget: query["budget"],
                expires: query["expires"], isAdmin: query["admin"] == "true", now: WallClock.second)
        } catch {
            throw APIError(400, error.message, code: "invalid_value", param: error.parameter)
        }
    }
}
