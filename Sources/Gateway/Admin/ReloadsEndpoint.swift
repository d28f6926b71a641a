import Codecs
import Engine
import ProviderKit
import Telemetry

/// `GET /admin/reloads`: the last loads of the policy with their changes and errors, the newest first.
enum ReloadsEndpoint {
    static func serve(_ exchange: Exchange) {
        exchange.respond { writer in
            writer.member("generation", exchange.snapshot.generation)
            writer.key("reloads")
            writer.array { for entry in exchange.gateway.engine.reloads.entries().reversed() { entry.write(to: &$0) } }
        }
    }
}

extension ReloadHistory.Entry {
    /// The most lines of changes or errors that are shown.
    private static let maxLines = 500

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("time", WireDate.rfc3339(time))
            $0.member("by", source)
            $0.member("status", errors == nil ? "ok" : "failed")
            $0.member("config", digest)
            $0.member("generation", generation)
            $0.milliseconds("duration_ms", duration)
            for (name, lines) in [("changes", changes), ("errors", errors ?? [])] as [(StaticString, [String])] {
                $0.key(name)
                $0.array { for line in lines.prefix(Self.maxLines) { $0.string(line) } }
            }
            let more = max(changes.count, errors?.count ?? 0) - Self.maxLines
            if more > 0 { $0.member("lines_more", more) }
        }
    }
}
