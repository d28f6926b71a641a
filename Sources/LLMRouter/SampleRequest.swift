import ArgumentParser
import Codecs
import Engine
import Gateway
import HTTPWire
import ProviderKit
import RoutingPolicy

/// A request whose routing by two policies is compared.
struct SampleRequest {
    var label: String
    var operation = ProviderKit.Operation.chat
    var body: [UInt8]
    /// The condition of a route that the request meets; nil if it is a plain one.
    var condition: RouteCondition?

    /// How a policy routes the request.
    enum Outcome: Equatable {
        /// The models that are called, in order.
        case planned([Explanation.Model])
        case refused(status: Int, code: String?)
    }

    /// For each route a plain chat request, one with an image, one with tools, and one for each further operation that
    /// models serve; for each visible model a plain request for the first operation that it serves.
    static func all(of policies: [RoutingPolicy]) -> [SampleRequest] {
        var routes = ["auto"], seen: Set = ["auto"]
        for route in policies.flatMap(\.routes) where seen.insert(route.name).inserted { routes.append(route.name) }
        let models = policies.flatMap(\.models).filter { !$0.isHidden && seen.insert($0.key).inserted }
        let samples = routes.flatMap { name in
            [
                SampleRequest(label: name, body: SampleBody(models: [name]).json),
                SampleRequest(label: "\(name) with an image", body: SampleBody(models: [name], hasImage: true).json),
                SampleRequest(label: "\(name) with tools", body: SampleBody(models: [name], hasTools: true).json),
            ]
        }
        let conditional = policies.flatMap { policy in
            policy.routes.flatMap { route in
                route.conditions.map { condition in
                    let operation = condition.operations.first { _ in true } ?? .chat
                    let body = SampleBody(operation: operation, models: [route.name], isStream: condition.isStream).json
                    return SampleRequest(
                        label: "\(route.name) with \(condition.words(in: policy))", operation: operation, body: body, condition: condition)
                }
            }
        }.filter { seen.insert($0.label).inserted }
        let served = policies.flatMap(\.models).reduce(OperationSet()) { $0.union($1.serves) }
        let further = served.filter { $0 != .chat }.flatMap { operation in
            routes.map { SampleRequest(operation, of: $0, label: "\($0) for \(operation.rawValue)") }
        }
        return samples + conditional + further
            + models.map { model in
                // A wildcard is not a name itself.
                let name = model.isWildcard ? model.key.dropLast() + "any-model" : model.key
                return SampleRequest(model.serves.first { _ in true } ?? .chat, of: name, label: model.key)
            }
    }

    /// Reads one request per line. A line that is not a JSON object is bad usage.
    static func read(_ path: String) throws -> [SampleRequest] {
        let lines = try PolicyFile.bytes(path).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return try lines.enumerated().compactMap { index, line in
            guard line.contains(where: { !" \r\t".utf8.contains($0) }) else { return nil }
            let body = Array(line)
            do throws(JSONError) {
                _ = try JSON.members(of: body.span.bytes)
            } catch {
                let column = error.position(in: body.span.bytes).column
                throw ValidationError(
                    "\(path):\(index + 1):\(column): expected \(error.expected); each line must be one chat request as a JSON object")
            }
            return SampleRequest(label: "\(path):\(index + 1)", body: body)
        }
    }

    func outcome(in snapshot: Snapshot) -> Outcome {
        let headers = condition?.headers.map { ($0.name, $0.values.first.map { $0.filter { $0 != "*" } } ?? "") } ?? []
        let key = condition?.keys.first.flatMap { name in snapshot.policy.keys.firstIndex { $0.name == name } }
        let explanation = ExplainedRequest(
            operation, body: body, headers: HTTPFields(headers), face: condition?.faces.first ?? .openai, key: key, in: snapshot
        ).explanation(state: .fresh(seed: 1))
        switch explanation.outcome {
        case .refused(let refusal): return .refused(status: refusal.status, code: refusal.code)
        case .planned(let course): return .planned(course.attempts.filter { !$0.isRetry }.map(\.model))
        }
    }
}

extension SampleRequest {
    private init(_ operation: ProviderKit.Operation, of name: String, label: String) {
        self.init(label: label, operation: operation, body: SampleBody(operation: operation, models: [name]).json)
    }
}

extension SampleRequest.Outcome {
    var summary: String { summary(\.name) }

    /// The summary with the providers' names, for outcomes whose models have the same names.
    var fullSummary: String { summary(\.label) }

    private func summary(_ name: (Explanation.Model) -> String) -> String {
        switch self {
        case .planned(let models): models.map(name).joined(separator: ", ")
        case .refused(let status, let code): "\(status)\(code.map { " \($0)" } ?? "")"
        }
    }
}
