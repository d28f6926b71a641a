import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// `POST /admin/explain`: plans the posted chat request under this process's state as it is now. No upstream is contacted, and nothing is counted.
enum ExplainEndpoint {
    static func serve(_ exchange: Exchange) {
        do throws(APIError) {
            let query = try Query(exchange.server.head.query ?? "", of: exchange.snapshot.policy)
            let request = ExplainedRequest(
                body: Array(exchange.server.body.readableBytesView), headers: exchange.server.head.fields, key: query.key,
                in: exchange.snapshot)
            let explanation = request.explanation(state: .live(exchange.loop, exchange.snapshot, seed: query.seed))
            exchange.respond(200, explanation.json)
        } catch {
            exchange.respond(error)
        }
    }

    private struct Query {
        /// Who sends the request, an index into the policy's keys; nil: somebody who may reach everything.
        var key: Int?
        /// Of what is drawn.
        var seed: UInt64 = 1

        init(_ text: String, of policy: RoutingPolicy) throws(APIError) {
            for pair in text.split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard let value = String(percentEncoded: parts.last?.utf8 ?? "".utf8[...]), parts.count == 2 else {
                    throw APIError(
                        400, "'\(String(pair).excerpt)' is no parameter of this endpoint; it takes key=NAME and seed=NUMBER",
                        code: "invalid_value")
                }
                switch parts[0] {
                case "key":
                    guard let known = policy.keys.firstIndex(where: { $0.name == value }) else {
                        throw APIError(400, "there is no key '\(value.excerpt)' in this policy", code: "invalid_value", param: "key")
                    }
                    key = known
                case "seed":
                    guard let number = UInt64(value) else {
                        throw APIError(400, "'seed' must be a whole number", code: "invalid_value", param: "seed")
                    }
                    seed = number
                default:
                    throw APIError(
                        400, "'\(String(parts[0]).excerpt)' is no parameter of this endpoint; it takes key=NAME and seed=NUMBER",
                        code: "invalid_value")
                }
            }
        }
    }
}
