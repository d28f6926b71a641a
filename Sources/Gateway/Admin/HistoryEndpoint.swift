import Codecs
import Engine
import ProviderKit
import Telemetry

/// `GET /admin/history`: what happened in each of the last 60 minutes, and in all of them together.
enum HistoryEndpoint {
    static func serve(_ exchange: Exchange) {
        let engine = exchange.gateway.engine
        exchange.respondLater {
            let recent = await engine.recentMinutes(), now = Timestamp.now()
            return .json {
                $0.key("minutes")
                $0.array { for figures in recent.all(at: now) { figures.write(to: &$0) } }
                $0.key("hour")
                recent.sum(at: now).write(to: &$0)
            }
        }
    }
}
