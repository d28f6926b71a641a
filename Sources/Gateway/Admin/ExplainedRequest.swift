import Codecs
package import Engine
package import HTTPWire
import NIOCore
package import ProviderKit
package import RoutingPolicy

/// A request that is parsed and planned like any other, but not sent.
package struct ExplainedRequest {
    private let operation: ProviderKit.Operation
    private let body: [UInt8]
    private let key: Int?
    private let headers: HTTPFields
    private let face: FaceName
    private let tokens: Int?
    private let snapshot: Snapshot

    /// - Parameters:
    ///   - headers: the request's header fields: those of `x-router-*`, and those that conditions and sticky routes
    ///     name.
    ///   - key: the key that sends the request, an index into the policy's keys. nil: a client that may use everything.
    ///   - tokens: the number of prompt tokens; nil estimates it.
    package init(
        _ operation: ProviderKit.Operation = .chat, body: [UInt8], headers: HTTPFields = HTTPFields(), face: FaceName = .openai, key: Int?,
        tokens: Int? = nil,
        in snapshot: Snapshot
    ) {
        self.operation = operation
        self.body = body
        self.headers = headers
        self.face = face
        self.key = key
        self.tokens = tokens
        self.snapshot = snapshot
    }

    /// - Parameter down: names of the models and providers that are assumed to be unreachable.
    package func explanation(state: ExplanationState, down: [String] = []) -> Explanation {
        do throws(RequestRefusal) {
            let request = try planRequest(), snapshot = snapshot.including(unlistedOf: request)
            return Explanation.of(
                request, key: explainedKey, in: snapshot, state: state, down: snapshot.models(down: down), refusal: refusal)
        } catch {
            return .refused(error, operation: operation, key: explainedKey, config: snapshot.policy.digest)
        }
    }

    /// The planner's input.
    func planRequest() throws(RequestRefusal) -> PlanRequest {
        do throws(APIError) {
            try Authentication.authorize(key, for: .operation(.call(operation)), in: snapshot)
            let face = Face.named(face)
            // The options of `explain` and the tests of a policy describe requests by OpenAI's members.
            let request = try RequestOutline(
                body.span.bytes, face.members.describable, fields: headers, defaults: definition?.defaults,
                streamsByDefault: asksForStream ?? (face.streamsByDefault && operation.mayStream))
            var needs = request.needs
            if let tokens { needs.promptTokens = tokens }
            return PlanRequest(
                operation: operation, models: request.models, needs: needs, choices: request.choices, overrides: request.overrides,
                scope: definition?.models, needsPrice: definition?.budget?.needsPrice ?? false,
                traits: RequestTraits(
                    fields: headers, face: face.name, key: definition?.name, isStream: request.isStream, body: ByteBuffer(bytes: body),
                    members: request.members))
        } catch {
            throw RequestRefusal(error)
        }
    }

    /// What `stream` says, also for an API that says it in the path; nil if it isn't there.
    private var asksForStream: Bool? {
        let member = (try? JSON.members(of: body.span.bytes))?.last { JSON.isKey($0.key, "stream", in: body.span.bytes) }
        return switch member?.value.kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    func refusal(_ refusal: PlanRefusal) -> RequestRefusal {
        RequestRefusal(APIError(refusal, in: snapshot))
    }

    private var definition: KeyDefinition? { key.map { snapshot.policy.keys[$0] } }

    private var explainedKey: Explanation.Key {
        definition.map { .named($0.name) } ?? (snapshot.policy.keys.isEmpty ? .noneDefined : .notGiven)
    }
}

extension RequestRefusal {
    init(_ error: APIError) {
        self.init(status: error.status, code: error.code, message: error.message)
    }
}
