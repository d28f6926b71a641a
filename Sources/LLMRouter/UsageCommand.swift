import ArgumentParser
import ProviderKit
import Telemetry

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage",
        abstract: "Shows what keys have used and models have cost, and what is left of budgets.",
        discussion: """
            A running router is asked, or else the file is read that 'state: { file: … }' of the policy names. The file knows no budgets.
            Exit status: 0 done, 1 the router can't be asked or the file can't be read, 2 bad usage.
            """)

    @OptionGroup var server: ServerOption

    @Option(help: "Read this file instead of asking a router.", completion: .file())
    var state: String?

    @Option(
        help: ArgumentHelp(
            "What is summed up: some of \(UsageDimension.allCases.map(\.rawValue).joined(separator: ", ")), with commas between them. Default: key,provider,model",
            valueName: "list"))
    var by: String?

    @Option(
        help: ArgumentHelp(
            "A date such as 2026-11-01 (in UTC), a time such as 2026-11-01T18:00:00Z, or an age such as 24h or 30d. Default: all that is kept.",
            valueName: "time"))
    var since: String?

    @Option(help: "\(UsageSummary.Format.allCases.map(\.rawValue).joined(separator: ", "))")
    var format = UsageSummary.Format.table

    func validate() throws {
        if state != nil, server.server != nil {
            throw ValidationError("'--state' reads a file, and '--server' asks a router; remove one of them")
        }
        _ = try query()
    }

    func run() async throws {
        if let state {
            do {
                let rows = try UsageBook.sums(of: try query(), inFile: state)
                return show(UsageSummary(try query(), rows: rows, budgets: []).text(format))
            } catch {
                Console.error("llm-router: '\(state)' can't be read: \(error)")
                throw ExitCode(1)
            }
        }
        let parameters =
            [("format", format.rawValue)] + [("by", by), ("since", since)].compactMap { name, value in value.map { (name, $0) } }
        try await RouterClient.with(server) { show(try await $0.send("GET", "/admin/usage", query: parameters)) }
    }

    private func query() throws -> UsageQuery {
        do throws(UsageQuery.Problem) {
            return try UsageQuery(by: by, since: since, now: Timestamp.seconds())
        } catch {
            throw ValidationError(error.message)
        }
    }

    private func show(_ text: [UInt8]) { Console.out(String(decoding: text, as: UTF8.self)) }
}

extension UsageSummary.Format: ExpressibleByArgument {}
