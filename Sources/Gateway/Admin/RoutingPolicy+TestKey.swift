import Crypto
package import RoutingPolicy

extension RoutingPolicy {
    /// The same policy with a secret of the client's choice for one of its keys; or, without a name, with one more key, which may reach everything. A policy
    /// without keys stays so.
    package func admitting(_ name: String?, secret: String) -> RoutingPolicy {
        guard var key = keys.first(where: { $0.name == name }) ?? keys.first else { return self }
        key.digest = Array(SHA256.hash(data: Array(secret.utf8)))
        key.wantsMetadata = true
        var policy = self
        if let index = keys.firstIndex(where: { $0.name == name }) {
            policy.keys[index] = key
        } else {
            (key.name, key.isAdmin, key.models, key.endpoints, key.limits, key.defaults) = ("", false, nil, nil, Limits(), nil)
            policy.keys.append(key)
        }
        return policy
    }
}
