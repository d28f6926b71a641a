import Codecs
import Engine
import ProviderKit
import RoutingPolicy

/// `GET /admin/policy`: the text of the policy in service, with its secrets masked, and the warnings about it.
enum PolicyEndpoint {
    static func serve(_ exchange: Exchange) {
        let snapshot = exchange.snapshot
        exchange.respondLater {
            let text = snapshot.policy.text, files = text?.masked(by: snapshot.mask) ?? []
            return .json { writer in
                writer.member("config", snapshot.policy.digest)
                writer.key("files")
                writer.array { list in
                    for file in files {
                        list.object {
                            $0.member("path", file.path)
                            $0.member("text", file.text)
                            $0.key("issues")
                            $0.array { list in
                                for issue in text?.issues ?? [] where issue.position.file == file.path { list.write(issue) }
                            }
                        }
                    }
                }
            }
        }
    }
}
