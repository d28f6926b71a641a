import Codecs
import ConfigTree
import Glibc
import HTTPWire
import RoutingPolicy

/// What `check` says of the certificates of a policy's listeners. That a file isn't here is only a warning: the router
/// may run elsewhere.
struct CertificateCheck {
    /// Before its end, a certificate is a warning for this long.
    private static let warningTime = 30 * 86_400

    private(set) var issues: [ConfigIssue] = []
    /// A line for each certificate that can be read.
    private(set) var lines: [String] = []

    /// - Parameter now: in seconds since 1970.
    init(_ policy: RoutingPolicy, now: Int) {
        for listener in policy.listen {
            guard let tls = listener.tls else { continue }
            func report(_ message: String, _ hint: String, _ severity: ConfigIssue.Severity = .warning) {
                issues.append(ConfigIssue(severity, at: tls.position, message, hint: hint))
            }
            do throws(ServerTLS.Failure) {
                let certificate = try ServerTLS(tls), expires = certificate.expires, end = WireDate.rfc3339(expires)
                lines.append("\(listener.address): the certificate is valid until \(end)")
                if certificate.begins > now {
                    let start = WireDate.rfc3339(certificate.begins)
                    report("the certificate is not valid before \(start)", "wait until then, and check this machine's clock")
                }
                guard expires < now + Self.warningTime else { continue }
                report(
                    expires <= now ? "the certificate has expired at \(end)" : "the certificate expires at \(end)",
                    "renew it, and reload the policy: connections that begin then use the new one")
            } catch {
                let areHere = [tls.certificate, tls.key, tls.clientCA].compactMap(\.self).allSatisfy { access($0, F_OK) == 0 }
                report(
                    error.description, "the router doesn't start, and doesn't reload the policy, without it", areHere ? .error : .warning)
            }
        }
    }
}
