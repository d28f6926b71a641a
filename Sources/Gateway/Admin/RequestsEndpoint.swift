import Codecs
import Engine
import ProviderKit
import Telemetry

/// `GET /admin/requests` and `/admin/requests/{id}`: the ledgers of the last requests.
enum RequestsEndpoint {
    static let parameters: [RequestMember] =
        [.number("limit", 1...10_000)] + ["model", "provider", "route", "key", "endpoint"].map { .text($0) }
        + [.pattern("status", "[1-5]([0-9]{2}|xx)")]

    static func list(_ exchange: Exchange) {
        let engine = exchange.gateway.engine
        do throws(APIError) {
            let query = try QueryFields(exchange)
            let limit = try query.integer("limit", in: 1...10_000) ?? 100
            let filter = try LedgerFilter(query)
            exchange.respondLater {
                let ledgers = await engine.recentRequests(), found = filter.isEmpty ? ledgers : ledgers.filter(filter.matches)
                return .json { writer in
                    writer.key("requests")
                    writer.array { for ledger in found.prefix(limit) { $0.raw(ledger) } }
                    writer.member("matching", found.count)
                    writer.member("kept", ledgers.count)
                }
            }
        } catch {
            exchange.respond(error)
        }
    }

    static func one(_ exchange: Exchange) {
        let engine = exchange.gateway.engine, id = exchange.pathParameter ?? ""
        exchange.respondLater {
            let ledger = await engine.recentRequests().first { JSONTree($0.span.bytes)?["request_id"]?.string == id }
            if let ledger { return Exchange.Reply(status: 200, body: ledger) }
            return .error(
                APIError(
                    404, "no request '\(id.excerpt)' is among the last ones; the access log has the earlier ones",
                    code: "request_not_found"))
        }
    }
}

/// Which ledgers are wanted: those whose members have the values of the query. A model and a provider count also if
/// they only failed or were skipped.
struct LedgerFilter: Sendable {
    private let members: [(names: [StaticString], value: String)]
    private let status: ClosedRange<Int>?

    init(_ query: QueryFields) throws(APIError) {
        let names: [(String, [StaticString])] = [
            ("model", ["model", "requested_model"]), ("provider", ["provider"]), ("route", ["route"]), ("key", ["key"]),
            ("endpoint", ["endpoint"]),
        ]
        members = names.compactMap { parameter, names in query[parameter].map { (names, $0) } }
        status = try query["status"].map { text throws(APIError) in
            if let status = Int(text), (100...599).contains(status) { return status...status }
            if text.hasSuffix("xx"), let hundred = Int(text.dropLast(2)), (1...5).contains(hundred) {
                return hundred * 100...hundred * 100 + 99
            }
            throw APIError(400, "'status' must be a status such as 429, or a group such as 5xx", code: "invalid_value", param: "status")
        }
    }

    /// The failed attempts, and what was skipped.
    private func attempts(in ledger: JSONTree) -> [JSONTree] {
        (ledger["failed"]?.elements ?? []) + (ledger["skipped"]?.elements ?? [])
    }

    var isEmpty: Bool { members.isEmpty && status == nil }

    func matches(_ ledger: [UInt8]) -> Bool {
        guard let tree = JSONTree(ledger.span.bytes) else { return false }
        if let status, !status.contains(tree["status"]?.integer ?? 0) { return false }
        return members.allSatisfy { names, value in
            names.contains { name in tree[name]?.string == value || attempts(in: tree).contains { $0[name]?.string == value } }
        }
    }
}
