import Codecs
import Engine
import ProviderKit

/// `POST /admin/reload`: reloads the policy like SIGHUP, and responds with the changes or the errors.
enum ReloadEndpoint {
    static func serve(_ exchange: Exchange) {
        let reload = exchange.gateway.admin.reload
        exchange.respondLater {
            var writer = JSONWriter()
            switch await reload("/admin/reload") {
            case .swapped(let changes):
                writer.object {
                    $0.member("status", "ok")
                    $0.key("changes")
                    $0.array { for change in changes { $0.string(change) } }
                }
                return Exchange.Reply(status: 200, body: writer.bytes)
            case .kept(let errors, _):
                writer.object {
                    APIError(
                        400, "the new policy has errors, so the running policy stays in service; fix the errors in 'report' and reload",
                        code: "invalid_policy"
                    ).write(to: &$0)
                    $0.key("report")
                    $0.array { for error in errors { $0.string(error) } }
                }
                return Exchange.Reply(status: 400, body: writer.bytes)
            }
        }
    }
}
