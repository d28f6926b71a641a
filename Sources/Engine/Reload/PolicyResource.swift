package import RoutingPolicy

/// Something that a policy needs and that may not be available: sockets, certificates, files.
package protocol PolicyResource: Sendable {
    /// Acquires what the policy needs beyond what is in service. If a part of it fails, this releases what it has
    /// acquired, and throws.
    func prepare(_ policy: RoutingPolicy) async throws -> any PreparedResource
}

/// What a resource has acquired for a policy. It must be ended exactly once, with `commit` or with `undo`.
package protocol PreparedResource: Sendable {
    /// Puts it into service, and releases what the policy no longer needs. It can't fail.
    func commit() async
    /// Releases it. What is in service stays.
    func undo() async
}
