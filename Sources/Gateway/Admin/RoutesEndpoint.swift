import Codecs
import ProviderKit
import RoutingPolicy

/// `GET /admin/routes`: the routes of the running policy in the parts in which the policy file has them, and the models
/// of each part. Which of them would serve a request now is `/admin/explain`.
enum RoutesEndpoint {
    static func serve(_ exchange: Exchange) {
        var writer = JSONWriter()
        write(exchange.snapshot.policy, to: &writer)
        exchange.respond(200, writer.bytes)
    }

    static func write(_ policy: RoutingPolicy, to writer: inout JSONWriter) {
        writer.object {
            $0.member("config", policy.digest)
            $0.key("routes")
            $0.array { list in
                for route in policy.routes { list.object { policy.write(route, to: &$0) } }
            }
        }
    }
}

extension RoutingPolicy {
    fileprivate func write(_ route: RouteDefinition, to writer: inout JSONWriter) {
        writer.member("name", route.name)
        writer.key("when")
        writer.array { list in
            for condition in route.conditions {
                list.object {
                    $0.member("condition", condition.words(in: self))
                    $0.member("use", routes[condition.use].name)
                }
            }
        }
        writer.key("try")
        write(route.steps, to: &writer)
        writer.key("fallback")
        write(route.fallback ?? defaults.fallback, to: &writer)
        // Whether the chain is that of `defaults`.
        writer.member("fallback_is_default", route.fallback == nil)
        writer.key("fallback_on")
        writer.object { chains in
            for (failure, steps) in route.fallbackOn.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                chains.key(escaping: failure.rawValue)
                write(steps, to: &chains)
            }
        }
        writer.member("resume", route.resumes)
        writer.member("hedge", route.hedge != nil)
        writer.member("sticky", route.sticky != nil)
    }

    private func write(_ steps: [RouteStep], to writer: inout JSONWriter) {
        writer.array { list in
            for (step, words) in zip(steps, words(steps)) {
                list.object {
                    $0.member("words", words)
                    switch step {
                    case .route(let route):
                        $0.member("route", routes[route].name)
                    case .models(let indices):
                        write(indices, to: &$0)
                    case .selected(let selection):
                        $0.member("order", selection.order.rawValue)
                        write(selection.models, to: &$0)
                    }
                }
            }
        }
    }

    /// - Parameter indices: indices of models.
    private func write(_ indices: [Int], to writer: inout JSONWriter) {
        writer.key("models")
        writer.array { list in
            for index in indices {
                list.object {
                    $0.member("provider", providers[models[index].provider].name)
                    $0.member("model_name", models[index].name)
                }
            }
        }
    }
}
