import Engine
import HTTPWire
import NIOCore
import ProviderKit

/// `POST /chat/completions`: reads the request, plans it, and starts the call.
enum ChatEndpoint {
    static func serve(_ api: APIExchange, created: Int) {
        let readAt = NIODeadline.now()
        do throws(APIError) {
            let body = api.exchange.body
            let request = try ChatRequest(body.readableBytesSpan)
            let plan = try plan(request, api)
            let writer: any AnswerWriter = request.isStream ? StreamWriter(api, request, created: created) : WholeWriter(api, request, created: created)
            let call = RunningCall(
                loop: api.loop, snapshot: api.snapshot, plan: plan,
                request: CallRequest(
                    operation: .chat, isStream: request.isStream, wantsUsage: request.wantsUsage, body: body, members: request.members,
                    key: api.key?.name, choices: request.choices,
                    arrivedAt: api.exchange.acceptedAt, readAt: readAt),
                writer: writer)
            api.call = call
            call.start()
        } catch {
            api.respond(error)
        }
    }

    private static func plan(_ request: ChatRequest, _ api: APIExchange) throws(APIError) -> Plan {
        var plan: Plan
        do throws(PlanRefusal) {
            plan = try Planner.plan(PlanRequest(models: request.model.map { [$0] } ?? [], scope: api.key?.models), in: api.snapshot, state: LivePlanningState(api.loop, api.snapshot))
        } catch {
            throw APIError(error, in: api.snapshot)
        }
        if let total = request.total { plan.total = total }
        if let maxModels = request.maxModels { plan.maxModels = maxModels }
        return plan
    }
}
