import Engine
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// `POST /chat/completions`: reads the request, plans it, and starts the call.
enum ChatEndpoint {
    static func serve(_ api: APIExchange, created: Int) {
        let readAt = NIODeadline.now()
        do throws(APIError) {
            let body = api.exchange.body
            let request = try ChatRequest(body.readableBytesSpan, fields: api.exchange.head.fields, defaults: api.key.flatMap { api.snapshot.policy.keys[$0].defaults }, exactFrom: api.snapshot.exactTokensFrom)
            let plan = try plan(request, api)
            let writer: any AnswerWriter = request.isStream ? StreamWriter(api, request, created: created) : WholeWriter(api, request, created: created)
            let call = RunningCall(
                loop: api.loop, snapshot: api.snapshot, plan: plan,
                request: CallRequest(
                    operation: .chat, isStream: request.isStream, wantsUsage: request.wantsUsage, body: body, members: request.members,
                    needs: request.needs, key: api.keyName, choices: request.choices,
                    arrivedAt: api.exchange.acceptedAt, readAt: readAt),
                writer: writer)
            api.call = call
            call.start()
        } catch {
            api.respond(error)
        }
    }

    private static func plan(_ request: ChatRequest, _ api: APIExchange) throws(APIError) -> Plan {
        do throws(PlanRefusal) {
            return try api.loop.plan(
                PlanRequest(models: request.models, needs: request.needs, own: request.own, scope: api.scope), in: api.snapshot)
        } catch {
            throw APIError(error, in: api.snapshot)
        }
    }
}
