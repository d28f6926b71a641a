import Crypto
package import RoutingPolicy

extension RoutingPolicy {
    /// A copy of the policy in which the key `name` has the given secret. Without a name, the copy has one more key,
    /// which may use everything. A policy without keys is returned unchanged.
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
