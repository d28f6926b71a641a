import Glibc
import RoutingPolicy

/// Who owns a unix socket, and who may connect to it.
struct SocketOwner {
    private let mode: mode_t?
    /// nil: it stays as it is.
    private var user: uid_t?
    private var group: gid_t?

    /// Looks the names up.
    init(_ listener: ListenerDefinition) throws(ResourceFailure) {
        mode = listener.mode.map { mode_t($0) }
        guard let owner = listener.owner else { return }
        let names = owner.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if !names[0].isEmpty { user = try Self.number(names[0], "user") { getpwnam($0).map { $0.pointee.pw_uid } } }
        if names.count > 1 { group = try Self.number(names[1], "group") { getgrnam($0).map { $0.pointee.gr_gid } } }
    }

    private static func number(_ name: String, _ kind: String, _ lookUp: (String) -> UInt32?) throws(ResourceFailure) -> UInt32 {
        if let number = UInt32(name) ?? lookUp(name) { return number }
        throw ResourceFailure(description: "this machine has no \(kind) '\(name)', which 'owner' names")
    }

    /// Gives the socket to its owner. Does nothing for an address that is none.
    func apply(to address: ListenAddress) throws(ResourceFailure) {
        guard case .unix(let path) = address else { return }
        if user != nil || group != nil, chown(path, user ?? .max, group ?? .max) != 0 { throw Self.failure("owner") }
        if let mode, chmod(path, mode) != 0 { throw Self.failure("mode") }
    }

    private static func failure(_ option: String) -> ResourceFailure {
        ResourceFailure(description: "'\(option)' of the socket can't be set: \(String(cString: strerror(errno)).lowercased())")
    }
}
