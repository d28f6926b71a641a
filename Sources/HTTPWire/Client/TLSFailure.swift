import Glibc
import NIOCore
import NIOSSL

/// The failure of TLS, in words for the operator.
enum TLSFailure {
    /// - Parameters:
    ///   - error: the error of the TLS handler; nil if the upstream just closed the connection.
    ///   - place: the upstream, for example `'api.example.com' port 443`.
    ///   - certificate: what the upstream has shown in a handshake that failed; nil if that isn't known.
    ///   - isComplete: whether the handshake was complete for this side.
    ///   - problem: why the operator's own trusted certificates aren't used; nil if they are, or if there are none.
    static func message(
        _ error: (any Error)?, at place: String, certificate: NIOSSLCertificate?, isComplete: Bool = false, problem: String?
    ) -> String {
        let closed = "\(place) closed the connection during the TLS handshake; \(TLSAlert.checkTheWay)"
        // An error of the socket, such as a reset: the upstream has sent nothing that could be understood.
        guard let error, !(error is IOError) else { return closed }
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "TLS failed: the certificate of \(place) is for another name; in 'base_url', use a host name that is in the certificate"
        }
        if let alert = alert(in: error) {
            return "TLS failed: \(place) \(alert.words(hasShownCertificate: certificate != nil || isComplete))"
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
        if ["UNSUPPORTED_PROTOCOL", "NO_SHARED_CIPHER"].contains(where: text.contains) {
            return "TLS failed: \(place) \(TLSAlert.noCommonVersion)"
        }
        if text.contains("EOF during handshake") { return closed }
        let reason = reason(in: text).map { " (\($0))" } ?? ""
        return "TLS failed: the router does not understand what \(place) sent\(reason); \(TLSAlert.checkTheWay)"
    }

    /// The alert with which the upstream has ended the connection; nil if there is none.
    ///
    /// The library names it only in a text: `error:1000042e:SSL routines:…`. The last three hexadecimal digits are
    /// the reason; those of received alerts begin at 1000. Source: BoringSSL's err.h, `ERR_PACK`, and ssl.h,
    /// `SSL_AD_REASON_OFFSET`.
    static func alert(in error: any Error) -> TLSAlert? {
        var text = "\(error)"[...]
        while let mark = text.firstRange(of: "error:") {
            text = text[mark.upperBound...]
            let digits = text.prefix(8)
            guard digits.hasPrefix("10"), let code = UInt32(digits, radix: 16) else { continue }
            if let number = UInt8(exactly: Int(code & 0xFFF) - 1000) { return TLSAlert(number: number) }
        }
        return nil
    }

    /// BoringSSL's reason in small letters: `OPENSSL_internal:BAD_ECPOINT at …`.
    private static func reason(in text: String) -> String? {
        let mark = "OPENSSL_internal:"
        guard let start = text.firstRange(of: mark)?.upperBound else { return nil }
        let word = text[start...].prefix { $0.isUppercase || $0.isNumber || $0 == "_" }
        return word.isEmpty ? nil : word.lowercased().split(separator: "_").joined(separator: " ")
    }
}

/// An alert by which an upstream ends a TLS connection. Source: RFC 8446, section 6; RFC 5246, section 7.2; RFC 6066,
/// section 9.
struct TLSAlert {
    let number: UInt8

    /// What the upstream does and what the operator can do, as a message continues after the upstream's name.
    ///
    /// - Parameter hasShownCertificate: whether the upstream has accepted the beginning of the handshake, so that only
    ///   the client's certificate can be missing.
    func words(hasShownCertificate: Bool) -> String {
        switch number {
        // bad_, unsupported_, revoked, expired, unknown and no certificate, unknown_ca, access_denied,
        // certificate_unobtainable, bad_certificate_hash_value and certificate_required: the router sends none.
        case 41...46, 48, 49, 111, 114, 116: Self.clientCertificate
        // handshake_failure
        case 40 where hasShownCertificate: Self.clientCertificate
        case 40:
            "refuses the handshake: it supports no TLS version and cipher that the router accepts (TLS 1.2 or later), or wants a client "
                + "certificate, which the router does not send, or does not serve this host name; check 'base_url'"
        // protocol_version, insufficient_security, inappropriate_fallback
        case 70, 71, 86: Self.noCommonVersion
        // unrecognized_name
        case 112: "does not serve this host name; check the host in 'base_url'"
        // internal_error, which some servers send for unknown names
        case 80: "reports an internal error, or does not serve this host name; check the host in 'base_url', then the log of the upstream"
        // no_application_protocol
        case 120: "does not speak HTTP/1.1; check 'base_url', or put a proxy in between that speaks it"
        default: "broke off the TLS connection (\(Self.names[number] ?? "alert \(number)")); \(Self.checkTheWay)"
        }
    }

    static let noCommonVersion =
        "supports no TLS version and cipher that the router accepts (TLS 1.2 or later); update its software, or put a proxy in between"

    static let checkTheWay = "check the port in 'base_url', and proxies and firewalls in between"

    private static let clientCertificate =
        "wants a client certificate, which the router does not send; put a proxy in between that sends one, such as nginx or stunnel"

    private static let names: [UInt8: String] = [
        0: "close notify", 10: "unexpected message", 20: "bad record", 21: "decryption failed", 22: "record overflow",
        30: "decompression failure", 47: "illegal parameter", 50: "decode error", 51: "decrypt error", 60: "export restriction",
        90: "cancelled", 100: "no renegotiation", 109: "missing extension", 110: "unsupported extension",
        113: "bad certificate status", 115: "unknown pre-shared key", 121: "encrypted client hello required",
    ]
}
