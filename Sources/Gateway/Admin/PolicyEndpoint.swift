import Codecs
import Engine
import ProviderKit
import RoutingPolicy

/// `GET /admin/policy`: the text of the policy in service, with its secrets masked.
enum PolicyEndpoint {
    static func serve(_ exchange: Exchange) {
        let snapshot = exchange.snapshot
        exchange.respondLater {
            let files = snapshot.policy.text?.masked() ?? []
            return .json { writer in
                writer.member("config", snapshot.policy.digest)
                writer.key("files")
                writer.array { list in
                    for file in files {
                        list.object {
                            $0.member("path", file.path)
                            $0.member("text", masked(file.text, snapshot))
                        }
                    }
                }
            }
        }
    }

    /// The text without the values of secrets, wherever they stand. A mask reads only the beginning of a long text, so
    /// it gets each line by itself.
    private static func masked(_ text: String, _ snapshot: Snapshot) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { snapshot.mask(String($0)) }.joined(separator: "\n")
    }
}
