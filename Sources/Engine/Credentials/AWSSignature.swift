import Codecs
import Crypto
import ProviderKit

/// A signature of one request. Source: AWS's IAM user guide, "Create a signed AWS API request" (Signature Version 4);
/// botocore, `auth.py`, which escapes the path once more for every service but S3.
struct AWSSignature {
    let credential: AWSCredential
    /// `20261128T120000Z`.
    let time: String

    /// - Parameter seconds: the time since 1970.
    init(_ credential: AWSCredential, at seconds: Int) {
        self.credential = credential
        // Without the fraction of a second.
        time = WireDate.rfc3339(seconds).prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    /// The fields that sign a request.
    ///
    /// - Parameters:
    ///   - target: the path and the query, as they are sent.
    ///   - contentType: the request's `content-type`; nil if it has none.
    ///   - bodyHash: the SHA-256 digest of the body.
    func fields(method: String, host: String, target: String, contentType: String?, bodyHash: [UInt8]) -> [(String, String)] {
        var signed = [("host", host), ("x-amz-date", time)]
        if let contentType { signed.insert(("content-type", contentType), at: 0) }
        if let token = credential.sessionToken { signed.append(("x-amz-security-token", token.reveal())) }
        let names = signed.map(\.0).joined(separator: ";")
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let canonical = [
            method, Self.escaped(parts[0]), parts.count > 1 ? Self.sorted(parts[1]) : "",
            signed.map { "\($0.0):\($0.1)\n" }.joined(), names, Hex.encoded(bodyHash),
        ].joined(separator: "\n")
        let scope = "\(time.prefix(8))/\(credential.region)/\(credential.service)/aws4_request"
        let text = ["AWS4-HMAC-SHA256", time, scope, Hex.encoded(SHA256.hash(data: Array(canonical.utf8)))].joined(separator: "\n")
        let key = [String(time.prefix(8)), credential.region, credential.service, "aws4_request"]
            .reduce(Array("AWS4\(credential.secretAccessKey.reveal())".utf8)) { Self.code($1, $0) }
        let value =
            "AWS4-HMAC-SHA256 Credential=\(credential.accessKeyID.reveal())/\(scope), SignedHeaders=\(names), "
            + "Signature=\(Hex.encoded(Self.code(text, key)))"
        return signed.filter { $0.0.hasPrefix("x-amz-") } + [("authorization", value)]
    }

    private static func code(_ text: String, _ key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    /// A path whose escapes are escaped once more: `%3A` becomes `%253A`.
    private static func escaped(_ path: Substring) -> String {
        let escaped = path.split(separator: "/", omittingEmptySubsequences: false).map { PercentEncoding.segment(String($0)) }
        return path.isEmpty ? "/" : escaped.joined(separator: "/")
    }

    /// A query whose parameters are sorted, each with a `=`.
    private static func sorted(_ query: Substring) -> String {
        query.split(separator: "&").map { $0.contains("=") ? String($0) : "\($0)=" }.sorted().joined(separator: "&")
    }
}
