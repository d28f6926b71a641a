import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// `POST /admin/explain`: plans the posted request with the current state of this process. It calls no upstream
/// and counts nothing.
enum ExplainEndpoint {
    static func serve(_ exchange: Exchange) {
        do throws(APIError) {
            let query = try Query(exchange.server.head.query ?? "", of: exchange.snapshot.policy)
            let request = ExplainedRequest(
                query.operation, body: Array(exchange.server.body.readableBytesView), headers: exchange.server.head.fields,
                face: query.face, key: query.key,
                in: exchange.snapshot)
            let explanation = request.explanation(state: .live(exchange.loop, exchange.snapshot, seed: query.seed))
            exchange.respond(200, explanation.json)
        } catch {
            exchange.respond(error)
        }
    }

    private struct Query {
        var operation = ProviderKit.Operation.chat
        var face = FaceName.openai
        /// The key that sends the request, an index into the policy's keys. nil: a client that may use everything.
        var key: Int?
        /// The seed of random choices.
        var seed: UInt64 = 1

        init(_ text: String, of policy: RoutingPolicy) throws(APIError) {
            for pair in text.split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard let value = String(percentEncoded: parts.last?.utf8 ?? "".utf8[...]), parts.count == 2 else {
                    throw Self.unknownParameter(String(pair))
                }
                switch parts[0] {
                case "operation":
                    guard let known = ProviderKit.Operation(served: value) else {
                        let words = ProviderKit.Operation.served.map(\.rawValue).joined(separator: ", ")
                        throw APIError(400, "'operation' must be one of \(words)", code: "invalid_value", param: "operation")
                    }
                    operation = known
                case "face":
                    guard let known = FaceName(rawValue: value) else {
                        let words = FaceName.allCases.map(\.rawValue).joined(separator: ", ")
                        throw APIError(400, "'face' must be one of \(words)", code: "invalid_value", param: "face")
                    }
                    face = known
                case "key":
                    guard let index = policy.keys.firstIndex(where: { $0.name == value }) else {
                        throw APIError(
                            400, "the policy has no key '\(value.excerpt)'; use a name under 'keys'", code: "invalid_value", param: "key")
                    }
                    key = index
                case "seed":
                    guard let number = UInt64(value) else {
                        throw APIError(400, "'seed' must be an integer of at least 0", code: "invalid_value", param: "seed")
                    }
                    seed = number
                default:
                    throw Self.unknownParameter(String(parts[0]))
                }
            }
        }

        private static func unknownParameter(_ text: String) -> APIError {
            APIError(
                400,
                "'\(text.excerpt)' is not a parameter of this endpoint; the parameters are operation=NAME, face=NAME, key=NAME and seed=NUMBER",
                code: "invalid_value")
        }
    }
}
