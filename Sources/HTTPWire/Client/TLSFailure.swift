import Glibc
import NIOSSL

/// The failure of a TLS handshake, in words for the operator.
enum TLSFailure {
    /// - Parameters:
    ///   - error: the error of the TLS handler; nil if the upstream just closed the connection.
    ///   - place: the upstream, for example `'api.example.com' port 443`.
    ///   - certificate: what the upstream has shown; nil if that isn't known.
    ///   - problem: why the operator's own trusted certificates aren't used; nil if they are, or if there are none.
    static func message(_ error: (any Error)?, at place: String, certificate: NIOSSLCertificate?, problem: String?) -> String {
        guard let error else { return "\(place) closed the connection during the TLS handshake; check the port" }
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "TLS failed: the certificate of \(place) is for another name; in 'base_url', use a host name that is in the certificate"
        }
        // The library has no type for the reason, only BoringSSL's name of it in a text with source paths.
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            let now = time(nil)
            if let certificate, certificate.notValidAfter < now {
                return "TLS failed: the certificate of \(place) has expired; renew it there, and check this machine's clock"
            }
            if let certificate, certificate.notValidBefore > now {
                return "TLS failed: the certificate of \(place) is not valid yet; check the clocks of both machines"
            }
            let step =
                problem.map { "\($0); correct it and restart the router" }
                ?? "if the authority is your own, set SSL_CERT_FILE to its PEM file and restart the router"
            return "TLS failed: the certificate of \(place) is not trusted: it is self-signed, or of an unknown authority; \(step)"
        }
        if ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "INVALID_ALERT"].contains(where: text.contains) {
            return "TLS failed: \(place) does not speak TLS; check the port, or write 'http://' in 'base_url'"
        }
        if ["UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_SHARED_CIPHER", "HANDSHAKE_FAILURE"].contains(where: text.contains)
        {
            return "TLS failed: \(place) supports no TLS version and cipher that the router accepts (TLS 1.2 or later)"
        }
        if text.contains("EOF during handshake") { return "\(place) closed the connection during the TLS handshake; check the port" }
        guard let reason = reason(in: text) else { return "TLS failed at \(place); check 'base_url' and the upstream's certificate" }
        return "TLS failed at \(place): \(reason)"
    }

    /// BoringSSL's reason in small letters: `OPENSSL_internal:TLSV1_ALERT_INTERNAL_ERROR at …`.
    private static func reason(in text: String) -> String? {
        let mark = "OPENSSL_internal:"
        guard let start = text.firstRange(of: mark)?.upperBound else { return nil }
        let word = text[start...].prefix { $0.isUppercase || $0.isNumber || $0 == "_" }
        return word.isEmpty ? nil : word.lowercased().split(separator: "_").joined(separator: " ")
    }
}
