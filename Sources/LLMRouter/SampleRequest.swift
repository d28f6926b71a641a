import ArgumentParser
import Codecs
import Engine
import Gateway
import ProviderKit
import RoutingPolicy

/// A request whose routing by two policies is compared.
struct SampleRequest {
    var label: String
    var operation = ProviderKit.Operation.chat
    var body: [UInt8]

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
        let served = policies.flatMap(\.models).reduce(OperationSet()) { $0.union($1.serves) }
        let further = served.filter { $0 != .chat }.flatMap { operation in
            routes.map { SampleRequest(operation, of: $0, label: "\($0) for \(operation.rawValue)") }
        }
        return samples + further + models.map { SampleRequest($0.serves.first { _ in true } ?? .chat, of: $0.key, label: $0.key) }
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
        let explanation = ExplainedRequest(operation, body: body, key: nil, in: snapshot).explanation(state: .fresh(seed: 1))
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
