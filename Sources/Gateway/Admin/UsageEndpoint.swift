import Engine
import HTTPWire
import Telemetry

/// `GET /admin/usage`: what keys have used and models have cost, as far as `state` keeps it, and what is left of the
/// keys' budgets.
enum UsageEndpoint {
    static let parameters: [RequestMember] = [
        .list("by", of: UsageDimension.allCases.map(\.rawValue)), .pattern("since", "[1-9][0-9]{0,3}[hd]"),
        .choice("format", UsageSummary.Format.allCases.map(\.rawValue)),
    ]

    static func serve(_ exchange: Exchange) {
        do throws(APIError) {
            let fields = try QueryFields(exchange), format = try format(fields, accept: exchange.server.head.fields.value("accept"))
            let query = try query(fields), engine = exchange.gateway.engine, usage = exchange.gateway.admin.usage
            exchange.respondLater {
                do {
                    await engine.readSharedBudgets()
                    let rows = try usage(query), budgets = engine.store.current.budgetViews(now: Timestamp.seconds())
                    return Exchange.Reply(
                        status: 200, body: UsageSummary(query, rows: rows, budgets: budgets).text(format),
                        contentType: format == .json ? format.mediaType : "\(format.mediaType); charset=utf-8")
                } catch {
                    return .error(APIError(503, "the database of the usage can't be read: \(error)", code: "usage_unreadable"))
                }
            }
        } catch {
            exchange.respond(error)
        }
    }

    private static func query(_ fields: QueryFields) throws(APIError) -> UsageQuery {
        do throws(UsageQuery.Problem) {
            return try UsageQuery(by: fields["by"], since: fields["since"], now: Timestamp.seconds())
        } catch {
            throw APIError(400, error.message, code: "invalid_value", param: error.parameter)
        }
    }

    /// The format that the query names, or else the one that the client likes best.
    private static func format(_ fields: QueryFields, accept: String?) throws(APIError) -> UsageSummary.Format {
        let formats = UsageSummary.Format.allCases
        if let word = fields["format"] {
            if let format = UsageSummary.Format(rawValue: word) { return format }
            throw APIError(
                400, "'format' must be one of \(formats.map(\.rawValue).joined(separator: ", "))", code: "invalid_value", param: "format")
        }
        let accepted = MediaRanges(accept ?? "*/*")
        // The first of those that are liked equally.
        return formats.max { accepted.quality(of: $0.mediaType) < accepted.quality(of: $1.mediaType) } ?? .json
    }
}
