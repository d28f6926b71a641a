package import ConfigTree

/// A socket at which clients connect: one entry of `listen:`.
package struct ListenerDefinition: Sendable, OptionHolder {
    package var address = ListenAddress.tcp(host: "127.0.0.1", port: 8080)
    /// nil: plain HTTP.
    package var tls: ListenerTLS?
    /// Whether each connection begins with a header of the PROXY protocol, version 2.
    package var readsProxyHeader = false
    /// Who may connect to a unix socket, as the permissions of a file; nil: as the umask of the process has it.
    package var mode: Int?
    /// Who owns a unix socket: `user`, `user:group` or `:group`, by name or number; nil: who runs the process.
    package var owner: String?

    package init() {}

    package init(_ address: ListenAddress) { self.address = address }
}

/// `tls:` of an entry of `listen`.
package struct ListenerTLS: Sendable, OptionHolder {
    /// The oldest version of TLS that a client may speak.
    package enum Version: String, Sendable, CaseIterable {
        case tls12 = "1.2", tls13 = "1.3"
    }

    /// The absolute path of a PEM file: the certificate, and then those of the authorities between it and the root.
    package var certificate = ""
    /// The absolute path of a PEM file with the certificate's private key.
    package var key = ""
    /// The absolute path of a PEM file with the authorities whose certificates clients must have; nil: clients need
    /// none.
    package var clientCA: String?
    package var minVersion = Version.tls12
    /// Where the policy names the certificate.
    package var position = SourcePosition(file: "", line: 1, column: 1)

    package init() {}
}
